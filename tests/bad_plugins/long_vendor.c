/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "long_vendor"
#define TEN "0123456789"
#define VENDOR TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#include "good.h"

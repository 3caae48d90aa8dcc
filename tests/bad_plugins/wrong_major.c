/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "wrong_major"
#define MAJOR 1
#include "good.h"

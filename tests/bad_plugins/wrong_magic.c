/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "wrong_magic"
#define MAGIC UINT64_C(0x1234)
#include "good.h"

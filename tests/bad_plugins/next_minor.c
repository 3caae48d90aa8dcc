/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "next_minor"
#define MINOR (VCP_ABI_MINOR + 1)
#include "good.h"

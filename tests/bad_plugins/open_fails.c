/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "open_fails"
#define OPEN_CODE VCP_INVALID_ARGUMENT
#include "good.h"

/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "half_capability"
#define CAPABILITIES VCP_CAP_POWER
#include "good.h"

/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "short_ops"
#define OPS_SIZE (sizeof(vcp_driver_ops_t) - 8)
#include "good.h"

/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "short_disk"
#define DISK_SIZE (sizeof(vcp_disk_ops_t) - 8)
#include "disk.h"

/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "disk_needs_unsaid"
#define ATTACH_NEEDS VCP_ATTACH_UNSPECIFIED
#include "disk.h"

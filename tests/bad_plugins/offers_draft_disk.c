/* SPDX-License-Identifier: Apache-2.0 */
/* As drivers offered disks before the extension was promoted; without a defect. */
#define NAME "offers_draft_disk"
#define DISK_ID "draft.vcp.disk/1"
#include "disk.h"

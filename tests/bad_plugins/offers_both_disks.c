/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody who gets the table of the first id may ask for that of the draft, which is empty. */
#define NAME "offers_both_disks"
#define OTHER_ID "draft.vcp.disk/1"
#include "disk.h"

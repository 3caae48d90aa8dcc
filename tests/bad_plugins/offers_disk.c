/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "offers_disk"
#include "disk.h"

/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "half_disk"
#define DETACH 0
#include "disk.h"

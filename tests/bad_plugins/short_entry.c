/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "short_entry"
#define ENTRY_SIZE (sizeof(vcp_plugin_entry_t) - 8)
#include "good.h"

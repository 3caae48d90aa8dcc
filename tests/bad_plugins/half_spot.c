/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "vcp/plugin/ext/draft/spot.h"

static const vcp_spot_ops_t spot_ops = {sizeof(vcp_spot_ops_t), 0, 0};

static const void* spot_extension(vcp_string_t id) {
  return id.size == strlen(VCP_SPOT_ID) && memcmp(id.data, VCP_SPOT_ID, id.size) == 0 ? &spot_ops : 0;
}

#define NAME "half_spot"
#define GET_EXTENSION spot_extension
#include "good.h"

/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "garbage_observe"
#define OWN_OBSERVE
#define OBSERVE own_observe
#include "good.h"

/* Item 0: garbage; 1: an unknown state and a state text to clean; 2: twice; 3: never. */
static int32_t own_observe(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                           uint64_t count, const vcp_observation_sink_t* out, vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(error);
  for (i = 0; i < count && i < 3; ++i) {
    vcp_observation_t seen = {0};
    seen.struct_size = sizeof seen;
    seen.found = 1;
    seen.index = items[i]->index;
    seen.state = i == 1 ? 99 : VCP_STATE_RUNNING;
    seen.cloud_id = i == 0 ? text("\xff", 1) : text("m", 1);
    seen.detail = text("bad \xff byte", 10);
    out->observed(out, &seen);
    if (i == 2) out->observed(out, &seen);
  }
  return VCP_OK;
}

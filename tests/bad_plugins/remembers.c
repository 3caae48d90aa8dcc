/* SPDX-License-Identifier: Apache-2.0 */
/* Without a defect: a create of two steps. The first makes a part and is pending; the second, which must be told of
 * the part and of the driver's own state, is done. */
#include <string.h>

#define NAME "remembers"
#define OWN_CREATE
#define CREATE own_create
#include "good.h"

static int32_t own_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                          vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(spec), UNUSED(error);
  for (i = 0; i < count; ++i) {
    const vcp_item_t* item = items[i];
    if (item->driver_state.size == 6 && memcmp(item->driver_state.data, "step 1", 6) == 0 &&
        item->resource_count == 1 && memcmp(item->resources[0]->id.data, "nic-1", 5) == 0) {
      out->machine(out, item->index, text("m-1", 3), text("192.0.2.1", 9));
      out->driver_state(out, item->index, text("step 2", 6));
      out->done(out, item->index);
    } else {
      vcp_resource_t part = {0};
      part.struct_size = sizeof part;
      part.kind = text("nic", 3);
      part.name = text("the-nic", 7);
      part.id = text("nic-1", 5);
      out->resource(out, item->index, &part);
      out->driver_state(out, item->index, text("step 1", 6));
      out->pending(out, item->index, 250, text("the nic", 7));
    }
  }
  return VCP_OK;
}

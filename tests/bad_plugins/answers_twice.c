/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "answers_twice"
#define OWN_CREATE
#define CREATE own_create
#include "good.h"

/* The second answer for item 0 contradicts the first. */
static int32_t own_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                          vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(spec), UNUSED(error);
  for (i = 0; i < count; ++i) {
    out->machine(out, items[i]->index, text("m-1", 3), text("192.0.2.1", 9));
    out->done(out, items[i]->index);
    if (i == 0) out->pending(out, items[i]->index, 5, text("", 0));
  }
  return VCP_OK;
}

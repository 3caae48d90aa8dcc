/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "oversize"
#define OWN_CREATE
#define CREATE own_create
#include "good.h"

/* Texts beyond every limit. */
static int32_t own_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                          vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(spec), UNUSED(error);
  for (i = 0; i < count; ++i) {
    static char large[8192];
    vcp_resource_t part = {0};
    uint64_t n;
    for (n = 0; n < sizeof large; ++n) large[n] = (char)97;
    part.struct_size = sizeof part;
    part.kind = text("disk", 4);
    part.id = text(large, sizeof large);
    if (i == 0) out->machine(out, items[i]->index, text(large, 257), text("", 0));
    if (i == 1) out->driver_state(out, items[i]->index, text(large, 4097));
    if (i == 2) out->resource(out, items[i]->index, &part);
    if (i == 3) out->driver_state(out, items[i]->index, text(large, 4096));
    out->done(out, items[i]->index);
  }
  return VCP_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "garbage_utf8"
#define OWN_CREATE
#define CREATE own_create
#include "good.h"

/* Bytes that are no text, in every place that takes one. */
static int32_t own_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                          vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(spec), UNUSED(error);
  for (i = 0; i < count; ++i) {
    vcp_error_t bad = {0};
    bad.struct_size = sizeof bad;
    bad.code = VCP_INTERNAL;
    bad.outcome = VCP_OUTCOME_NOT_APPLIED;
    bad.message[0] = (char)0xFF;
    bad.message[1] = (char)0xC0;
    if (i == 0) out->machine(out, items[i]->index, text("\xff\xfe", 2), text("", 0));
    if (i == 1) out->machine(out, items[i]->index, text("ok", 2), text("not an address", 14));
    if (i == 2) out->driver_state(out, items[i]->index, text("\xc3", 1));
    if (i < 3) out->done(out, items[i]->index);
    if (i == 3) out->error(out, items[i]->index, &bad);
  }
  return VCP_OK;
}

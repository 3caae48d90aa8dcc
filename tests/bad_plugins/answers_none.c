/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "answers_none"
#define OWN_CREATE
#define CREATE own_create
#include "good.h"

/* Success, and not a word about any item. */
static int32_t own_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                          vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(spec), UNUSED(error);
  for (i = 0; i < count; ++i) {
    UNUSED(items), UNUSED(out);
  }
  return VCP_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#define NAME "never_returns"
#define OWN_CREATE
#define CREATE own_create
#include "good.h"

static int32_t own_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                          vcp_error_t* error) {
  UNUSED(driver), UNUSED(call), UNUSED(spec), UNUSED(items), UNUSED(count), UNUSED(out), UNUSED(error);
  for (;;) pause();
  return VCP_OK;
}

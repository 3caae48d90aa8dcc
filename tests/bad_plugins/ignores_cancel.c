/* SPDX-License-Identifier: Apache-2.0 */
/* Asks neither whether it was cancelled nor what time it is: it makes its machine half a second after the deadline. */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#define NAME "ignores_cancel"
#define OWN_CREATE
#define CREATE own_create
#include "good.h"

static int32_t own_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                          vcp_error_t* error) {
  const struct timespec moment = {0, 5000000};
  uint64_t i;
  UNUSED(driver), UNUSED(spec), UNUSED(error);
  while (good_host->monotonic_ms(good_host) < call->deadline_mono_ms + 500) nanosleep(&moment, 0);
  for (i = 0; i < count; ++i) {
    out->machine(out, items[i]->index, text("m-late", 6), text("", 0));
    out->done(out, items[i]->index);
  }
  return VCP_OK;
}

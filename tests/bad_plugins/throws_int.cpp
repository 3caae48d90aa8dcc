// SPDX-License-Identifier: Apache-2.0
#ifndef NAME
#define NAME "throws_int"
#endif
#define OWN_CREATE
#define CREATE own_create
#define OWN_OBSERVE
#define OBSERVE own_observe
#include "good.h"

/* No barrier: exceptions cross the boundary. */
static int32_t own_create(vcp_driver_instance_t*, const vcp_call_t*, vcp_string_t, const vcp_item_t* const*, uint64_t,
                          const vcp_item_sink_t*, vcp_error_t*) {
  throw 42;
}

static int32_t own_observe(vcp_driver_instance_t*, const vcp_call_t*, const vcp_item_t* const*, uint64_t,
                           const vcp_observation_sink_t*, vcp_error_t*) {
  throw 42;
}

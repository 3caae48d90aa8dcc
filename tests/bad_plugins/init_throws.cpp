// SPDX-License-Identifier: Apache-2.0
#define NAME "init_throws"
#define INIT init_throws
#define OWN_OBSERVE
#define OBSERVE own_observe
#include "vcp/plugin/abi.h"
/* No barrier: the exception crosses the boundary. */
static int32_t init_throws(const vcp_host_t*, vcp_error_t*) { throw 42; }
#include "good.h"

static int32_t own_observe(vcp_driver_instance_t*, const vcp_call_t*, const vcp_item_t* const*, uint64_t,
                           const vcp_observation_sink_t*, vcp_error_t*) {
  return VCP_OK;
}

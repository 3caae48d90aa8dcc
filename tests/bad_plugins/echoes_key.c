/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "echoes_key"
#define OWN_PROBE
#define PROBE echoing_probe
#include <string.h>

#include "good.h"

static int32_t echoing_probe(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error) {
  static const char said[] = "the cloud refused ";
  const uint64_t room = sizeof error->message - sizeof said;
  const uint64_t size = call->credentials.size < room ? call->credentials.size : room;
  UNUSED(driver);
  call->progress(call, 50, call->credentials);
  error->code = VCP_UNAUTHENTICATED;
  memcpy(error->message, said, sizeof said);
  memcpy(error->message + sizeof said - 1, call->credentials.data, size);
  error->message[sizeof said - 1 + size] = 0;
  return VCP_UNAUTHENTICATED;
}

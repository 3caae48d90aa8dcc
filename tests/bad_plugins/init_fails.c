/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "init_fails"
#define INIT init_fails
#include "vcp/plugin/abi.h"
static int32_t init_fails(const vcp_host_t* host, vcp_error_t* error) {
  (void)host;
  error->message[0] = 'n';
  error->message[1] = 'o';
  return VCP_FAILED_PRECONDITION;
}
#include "good.h"

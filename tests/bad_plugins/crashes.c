/* SPDX-License-Identifier: Apache-2.0 */
/* Ends the process that initialises it. Only for `vcc plugin check`, which must survive it. */
#define NAME "crashes"
#define INIT crash

#include <stdlib.h>

#include "vcp/plugin/abi.h"
static int32_t crash(const vcp_host_t* host, vcp_error_t* error) {
  (void)host, (void)error;
  abort();
}
#include "good.h"

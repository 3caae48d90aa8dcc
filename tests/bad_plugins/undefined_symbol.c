/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "undefined_symbol"
#define INIT init_needs_more
#include "vcp/plugin/abi.h"
int function_that_nobody_has(void);
static int32_t init_needs_more(const vcp_host_t* host, vcp_error_t* error) {
  (void)host, (void)error;
  return function_that_nobody_has();
}
#include "good.h"

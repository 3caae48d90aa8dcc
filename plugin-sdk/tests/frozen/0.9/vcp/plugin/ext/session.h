/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_EXT_SESSION_H
#define VCP_PLUGIN_EXT_SESSION_H

/*
 * Extension "vcp.host.session/1": a memory for tokens that a cloud gave for credentials. A driver must not keep them
 * itself: calls of many users go through one instance, and a token in a member would one day serve the wrong one. The
 * table comes from host->get_extension(host, "vcp.host.session/1"), with the host that open_driver was given, and is
 * valid as long as that host. The rules are in abi.h.
 *
 * Every value belongs to a scope: this driver instance, call->credentials and call->catalog_entry, each byte of them. A
 * call sees its own scope only. Within it a driver names its values, for instance "token/ap-northeast-1".
 *
 * Values live in the memory of this process only, are wiped when they go, and go when their time is over, when they are
 * dropped, when the driver instance is closed, or, the least used first, when the instance has more than 1024 values or
 * 16 MiB of them. So a value may be missing at any time.
 */

#include "vcp/plugin/host.h"
#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VCP_SESSION_ID "vcp.host.session/1"

typedef struct vcp_session vcp_session_t;

/*
 * The table. [any-thread] `call` must be the call in progress. `key` has 1..128 bytes. None of the functions fills in a
 * vcp_error_t: the codes say all.
 */
struct vcp_session {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */

  /*
   * Gives the value, or the task of making it.
   *   VCP_OK         the value has gone to `out` (a vcp_text_sink_t that the plugin makes, see crypto.h) in one piece
   *   VCP_NOT_FOUND  there is none, and this call has claimed the key: it now makes the value and calls put, or drop
   *                  when it cannot. Other calls of the scope wait for that
   *   VCP_CANCELLED, VCP_DEADLINE_EXCEEDED  the call ended while another call was making the value
   *   VCP_INVALID_ARGUMENT
   *   VCP_RESOURCE_EXHAUSTED  the call holds 16 claims already, or the host has no memory
   *
   * Blocks while another call holds the claim, at most until the end of its own call. A claim ends with put, with drop,
   * or with the call that holds it, however that ends; then one of those that wait gets VCP_NOT_FOUND and the claim. A
   * call that holds the claim and asks again gets VCP_NOT_FOUND again. Two calls that each hold what the other waits
   * for wait until the deadline, so hold one claim at a time, or claim always in the same order.
   */
  int32_t (*get)(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key, const vcp_text_sink_t* out);

  /*
   * Keeps a copy of `value` (1 byte .. 256 KiB) for `ttl_ms` and ends the claim, whoever holds it. [no-block] Give a
   * time that is shorter than the token's own by what a call may take. More than 24 hours counts as 24 hours. VCP_OK,
   * INVALID_ARGUMENT for a bad argument or ttl_ms < 1, RESOURCE_EXHAUSTED; the claim stays when it fails.
   */
  int32_t (*put)(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key, vcp_string_t value,
                 int64_t ttl_ms);

  /*
   * Forgets a value that the cloud no longer takes, and gives up this call's claim on the key. [no-block] `value` is
   * what the cloud refused: another call may have put a new one since, which stays. Empty: whatever is there goes.
   * VCP_OK also when there is nothing, INVALID_ARGUMENT.
   */
  int32_t (*drop)(const vcp_session_t* session, const vcp_call_t* call, vcp_string_t key, vcp_string_t value);
};

#ifdef __cplusplus
}
#endif

#endif

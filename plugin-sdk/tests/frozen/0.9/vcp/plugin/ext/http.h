/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_EXT_HTTP_H
#define VCP_PLUGIN_EXT_HTTP_H

/*
 * Extension "vcp.host.http/1": HTTP for drivers, lent by the host. The table comes from
 * host->get_extension(host, "vcp.host.http/1"), with the host that open_driver was given (the one of init has none),
 * and is valid as long as that host. The rules are in abi.h.
 *
 * The host keeps connections, verifies TLS, knows the proxy, limits rate and requests under way per account, and writes
 * a record of each call without its secrets. It goes only to the origins that the administrator allows for this driver
 * instance (`origins` in providers.d), never to link-local addresses or metadata services, and follows no redirect: a
 * 3xx is a response like any other.
 */

#include "vcp/plugin/host.h"
#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VCP_HTTP_ID "vcp.host.http/1"

/* One header. Names are ASCII tokens; values hold no line ends. */
typedef struct vcp_http_header {
  vcp_string_t name;
  vcp_string_t value;
} vcp_http_header_t;

/* Made by the plugin, borrowed for the call. */
typedef struct vcp_http_request {
  uint32_t struct_size;
  uint32_t reserved;
  vcp_string_t method; /* "GET", "POST", ... as it goes over the wire */
  vcp_string_t url;    /* https (in evaluation also http), absolute, percent-encoded, no userinfo, no fragment */
  /* At most 200, 64 KiB in all. The host adds Host ("host", or "host:port" when the port is not the scheme's own),
   * User-Agent, Connection and Content-Length, and refuses these and other headers that steer the connection. */
  const vcp_http_header_t* headers;
  uint64_t header_count;
  vcp_string_t body;    /* bytes; at most 64 MiB */
  vcp_string_t account; /* who pays for the rate: a name that tells accounts of the cloud apart, such as a project id.
                           At most 256 bytes, never shown. Empty: the driver instance */
  int64_t timeout_ms;   /* from waiting for a turn to the last byte; 0: until the deadline of the call */
  uint64_t max_response_bytes; /* of the body; 0: 16 MiB; at most 64 MiB */
  vcp_string_t ca_file;        /* PEM file of the authorities to trust, by the administrator's options */
  vcp_string_t ca_pem;         /* the same as PEM text; both empty: those of the system */
} vcp_http_request_t;

typedef struct vcp_http_sink vcp_http_sink_t;

/*
 * Takes the response. Made by the plugin; its functions are called inside `request`, on the calling thread, and only
 * after the whole response has arrived: status once, then each header in order, then the body in pieces (none when it
 * is empty). Texts are borrowed until the function returns. None may throw. [no-block]
 */
struct vcp_http_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* plugin_data; /* the plugin's; the host does not touch it */

  /* `retry_after_ms`: what Retry-After asks for, 0..3,600,000; 0 = it did not say. */
  void (*status)(const vcp_http_sink_t* sink, int32_t status, int64_t retry_after_ms);

  void (*header)(const vcp_http_sink_t* sink, vcp_string_t name, vcp_string_t value);

  /* VCP_OK, or VCP_CANCELLED when the plugin wants no more of it; `request` then still succeeds. */
  int32_t (*body)(const vcp_http_sink_t* sink, vcp_string_t bytes);
};

typedef struct vcp_http vcp_http_t;

/* The table. */
struct vcp_http {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */

  /*
   * Sends one request and waits for its response. [any-thread] Blocks until the response is there, the deadline of the
   * call or timeout_ms has passed, or the call was cancelled. `call` must be the call in progress.
   *
   * VCP_OK: a response of whatever status has gone to `out`. Else `error` is filled in, with the outcome of the request
   * (NOT_APPLIED when no byte of it was sent, else UNKNOWN) and `out` has seen nothing:
   *   INVALID_ARGUMENT   the request, or an argument of this function
   *   PERMISSION_DENIED  an origin or address that is not allowed
   *   UNAVAILABLE        network, name, certificate; or the account must wait: retry_after_ms says how long
   *   DEADLINE_EXCEEDED, CANCELLED
   *   OUT_OF_RANGE       the response is larger than max_response_bytes
   *
   * Not idempotent by itself: only a GET or HEAD that meets a connection closed since its last use is sent again, once.
   * A response of 429 or 503 with Retry-After makes further requests of the account wait, or fail with UNAVAILABLE when
   * the wait is longer than their time.
   */
  int32_t (*request)(const vcp_http_t* http, const vcp_call_t* call, const vcp_http_request_t* request,
                     const vcp_http_sink_t* out, vcp_error_t* error);
};

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Without a defect: its probe sends one request to the URL that stands in the catalog entry, and logs the answer. */
#define NAME "uses_http"
#define OWN_PROBE
#define PROBE probe_over_http

#include "good.h"
#include "vcp/plugin/ext/http.h"

static void take_status(const vcp_http_sink_t* sink, int32_t status, int64_t retry_after_ms) {
  UNUSED(retry_after_ms);
  *(int32_t*)sink->plugin_data = status;
}

static void take_header(const vcp_http_sink_t* sink, vcp_string_t name, vcp_string_t value) {
  UNUSED(sink), UNUSED(name), UNUSED(value);
}

static int32_t take_body(const vcp_http_sink_t* sink, vcp_string_t bytes) {
  UNUSED(sink);
  good_host->log(good_host, VCP_LOG_INFO, text("BODY", 4), bytes, 0, 0);
  return VCP_OK;
}

static int32_t probe_over_http(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error) {
  static const vcp_http_header_t headers[] = {{VCP_LITERAL("Authorization"), VCP_LITERAL("Bearer s3cret")}};
  const vcp_http_t* http =
      (const vcp_http_t*)good_host->get_extension(good_host, text(VCP_HTTP_ID, sizeof(VCP_HTTP_ID) - 1));
  vcp_http_request_t request = {0};
  vcp_http_sink_t sink = {0};
  int32_t status = 0;
  int32_t code;
  UNUSED(driver);
  if (!http) return VCP_FAILED_PRECONDITION;
  request.struct_size = sizeof request;
  request.method = text("GET", 3);
  request.url = call->catalog_entry;
  request.headers = headers;
  request.header_count = 1;
  sink.struct_size = sizeof sink;
  sink.plugin_data = &status;
  sink.status = take_status;
  sink.header = take_header;
  sink.body = take_body;
  code = http->request(http, call, &request, &sink, error);
  if (code != VCP_OK) return code;
  return status == 200 ? VCP_OK : VCP_UNKNOWN;
}

// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/http_extension.h"

#include <algorithm>
#include <new>
#include <utility>

#include "plugin_host/extension.h"

namespace vcc {
namespace {

constexpr std::uint64_t kMaxHeaders = 200;
constexpr std::uint64_t kMaxBody = std::uint64_t{64} << 20U;
constexpr std::uint64_t kMaxText = 1U << 20U;
constexpr std::uint64_t kMaxAccount = 256;
constexpr std::size_t kChunk = std::size_t{1} << 20U;

Status bad(const std::string& what) {
  return Status(Code::kInvalidArgument, "http request: " + what, Outcome::kNotApplied);
}

Status copyRequest(const vcp_http_request_t& raw, HttpRequest* out) {
  const std::pair<const char*, const vcp_string_t*> texts[] = {{"method", &raw.method},   {"url", &raw.url},
                                                               {"account", &raw.account}, {"ca_file", &raw.ca_file},
                                                               {"ca_pem", &raw.ca_pem},   {"body", &raw.body}};
  for (const auto& [name, text] : texts) {
    if (text->size > 0 && text->data == nullptr) return bad(std::string(name) + " is null");
    if (text->size > (text == &raw.body ? kMaxBody : kMaxText)) return bad(std::string(name) + " is too long");
  }
  if (raw.account.size > kMaxAccount) return bad("account has more than 256 bytes");
  if (raw.header_count > kMaxHeaders || (raw.header_count > 0 && raw.headers == nullptr)) {
    return bad("there are more than 200 headers, or they are null");
  }
  if (raw.timeout_ms < 0) return bad("timeout_ms is negative");
  if (raw.max_response_bytes > kMaxBody) return bad("max_response_bytes is more than 64 MiB");
  for (std::uint64_t i = 0; i < raw.header_count; ++i) {
    const vcp_http_header_t& header = raw.headers[i];
    if (header.name.size > kMaxText || header.value.size > kMaxText) return bad("a header is too long");
    out->headers.emplace_back(fromAbi(header.name), fromAbi(header.value));
  }
  out->method = fromAbi(raw.method);
  out->url = fromAbi(raw.url);
  out->body = fromAbi(raw.body);
  out->ca_file = fromAbi(raw.ca_file);
  out->ca_pem = fromAbi(raw.ca_pem);
  if (raw.max_response_bytes > 0) out->max_response_bytes = raw.max_response_bytes;
  return okStatus();
}

}  // namespace

HttpExtension::HttpExtension(const HostServices& host, std::unique_ptr<HttpService> service)
    : host_(host), service_(std::move(service)) {
  table_.struct_size = sizeof table_;
  table_.host_data = this;
  table_.request = &request;
}

std::int32_t HttpExtension::request(const vcp_http_t* http, const vcp_call_t* call, const vcp_http_request_t* request,
                                    const vcp_http_sink_t* out, vcp_error_t* error) noexcept {
  if (http == nullptr) return VCP_INVALID_ARGUMENT;
  try {
    const Status status = static_cast<HttpExtension*>(http->host_data)->run(call, request, out);
    if (!status.ok()) fillError(error, status);
    return static_cast<std::int32_t>(status.code());
  } catch (...) {  // out of memory, at a point that is not known
    if (error != nullptr && VCP_HAS(vcp_error_t, error, message)) {
      error->code = VCP_RESOURCE_EXHAUSTED;
      error->outcome = VCP_OUTCOME_UNKNOWN;
    }
    return VCP_RESOURCE_EXHAUSTED;
  }
}

Status HttpExtension::run(const vcp_call_t* call, const vcp_http_request_t* raw, const vcp_http_sink_t* out) {
  if (call == nullptr || call->host_data == nullptr) return bad("call is not the call in progress");
  if (raw == nullptr || !VCP_HAS(vcp_http_request_t, raw, ca_pem)) return bad("it is null or too short");
  if (out == nullptr || !VCP_HAS(vcp_http_sink_t, out, body) || out->status == nullptr || out->header == nullptr ||
      out->body == nullptr) {
    return bad("the sink is null, too short or lacks a function");
  }
  HttpRequest request;
  VCC_RETURN_IF_ERROR(copyRequest(*raw, &request));
  const auto& frame = *static_cast<const CallFrame*>(call->host_data);
  request.cancelled = [&] { return frame.isCancelled(); };
  request.credentials = &frame.credentials();
  request.deadline_ms = call->deadline_mono_ms - host_.environment().clock.monoMs();
  if (raw->timeout_ms > 0) request.deadline_ms = std::min(request.deadline_ms, raw->timeout_ms);
  if (request.deadline_ms <= 0) {
    return Status(Code::kDeadlineExceeded, "http request: the deadline of the call has passed", Outcome::kNotApplied);
  }
  const Result<HttpResponse> response = service_->send(std::move(request), std::string(fromAbi(raw->account)));
  if (response.ok()) deliver(*response, *out);
  return response.status();
}

void HttpExtension::deliver(const HttpResponse& response, const vcp_http_sink_t& out) const noexcept {
  try {
    out.status(&out, response.status, response.retry_after_ms);
    for (const auto& [name, value] : response.headers) out.header(&out, toAbi(name), toAbi(value));
    for (std::size_t at = 0; at < response.body.size(); at += kChunk) {
      if (out.body(&out, toAbi(std::string_view(response.body).substr(at, kChunk))) != VCP_OK) return;
    }
  } catch (...) {
    host_.misbehaved("its http sink threw an exception");
  }
}

}  // namespace vcc

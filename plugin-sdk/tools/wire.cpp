// SPDX-License-Identifier: Apache-2.0
#include "wire.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

namespace vcp::check {
namespace {

using plugin::borrow;
using plugin::HttpResponse;
using plugin::view;
using plugin::detail::fillError;

constexpr std::int64_t kRequestMs = 20;
constexpr char kHtml[] = "<html><head><title>Bad Gateway</title></head><body>upstream error</body></html>";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// What the real host refuses; null when nothing.
const char* faultOf(const vcp_http_request_t& request) {
  if (request.method.size == 0) return "no method";
  const std::string_view url = view(request.url);
  if (url.rfind("https://", 0) != 0 && url.rfind("http://", 0) != 0) return "the url is not absolute";
  for (std::uint64_t i = 0; i < request.header_count; ++i) {
    const std::string name = lower(view(request.headers[i].name));
    for (const char* own : {"host", "user-agent", "connection", "content-length", "transfer-encoding"}) {
      if (name == own) return "a header that is the host's own";
    }
  }
  return nullptr;
}

/// Keeps the response of the cloud, to give it to the driver whole, torn or not at all.
struct Kept {
  HttpResponse response;
  vcp_http_sink_t sink{};

  Kept() {
    sink.struct_size = sizeof sink;
    sink.plugin_data = this;
    sink.status = [](const vcp_http_sink_t* s, std::int32_t status, std::int64_t retry_after_ms) {
      of(s).response.status = status;
      of(s).response.retry_after_ms = retry_after_ms;
    };
    sink.header = [](const vcp_http_sink_t* s, vcp_string_t name, vcp_string_t value) {
      of(s).response.headers.emplace_back(view(name), view(value));
    };
    sink.body = [](const vcp_http_sink_t* s, vcp_string_t bytes) -> std::int32_t {
      of(s).response.body += view(bytes);
      return VCP_OK;
    };
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  static Kept& of(const vcp_http_sink_t* s) { return *static_cast<Kept*>(s->plugin_data); }
};

void deliver(const HttpResponse& response, const vcp_http_sink_t& out) {
  out.status(&out, response.status, response.retry_after_ms);
  for (const auto& field : response.headers) out.header(&out, borrow(field.first), borrow(field.second));
  if (!response.body.empty()) out.body(&out, borrow(response.body));
}

HttpResponse answerOf(const Fault& fault) {
  HttpResponse response;
  response.status = fault.status;
  response.retry_after_ms = fault.retry_after_ms;
  response.headers.emplace_back("Content-Type", fault.html ? "text/html" : "application/json");
  if (fault.retry_after_ms > 0)
    response.headers.emplace_back("Retry-After", std::to_string(fault.retry_after_ms / 1000));
  response.body = fault.html ? kHtml : R"({"error":"simulated"})";
  return response;
}

}  // namespace

std::string Fault::text() const {
  constexpr std::array<const char*, 7> kTexts{"nothing",
                                              "the answer is lost",
                                              "the request is lost",
                                              "half of the answer arrives",
                                              "the connection is refused",
                                              "the answer comes after the deadline",
                                              "status "};
  std::string text = kTexts[static_cast<std::size_t>(kind)];
  if (kind == Kind::kStatus) text += std::to_string(status) + (html ? " with an HTML page" : "");
  return text;
}

Wire::Wire(const vcp_fake_cloud_entry_t& cloud, const std::string& options, CheckHost& host)
    : cloud_(cloud), host_(host), instance_(cloud.open(borrow(options))) {
  if (instance_ == nullptr) throw std::runtime_error("the simulated cloud refuses its options (cloud_options)");
  table_.struct_size = sizeof table_;
  table_.host_data = this;
  table_.request = &request;
  host_.provide(VCP_HTTP_ID, &table_);
  host_.on_pass = [this](std::int64_t ms) {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    cloud_.advance(instance_, ms);
  };
}

Wire::~Wire() {
  host_.on_pass = [](std::int64_t) {};
  cloud_.close(instance_);
}

void Wire::arm(const Fault& fault) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  fault_ = fault;
  seen_ = 0;
  hits_ = 0;
}

int Wire::hits() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  return hits_;
}

std::vector<std::string> Wire::changes() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  return changes_;
}

int Wire::requests() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  return requests_;
}

std::vector<Object> Wire::objects() const {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  std::vector<Object> all;
  vcp_fake_object_sink_t sink{};
  sink.struct_size = sizeof sink;
  sink.tool_data = &all;
  sink.object = [](const vcp_fake_object_sink_t* s, const vcp_fake_object_t* object) {
    static_cast<std::vector<Object>*>(s->tool_data)
        ->push_back({std::string(view(object->kind)), std::string(view(object->name)), std::string(view(object->id)),
                     std::string(view(object->owner))});
  };
  cloud_.objects(instance_, &sink);
  return all;
}

void Wire::addForeign() {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  cloud_.add_foreign(instance_);
}

bool Wire::meetsFault(bool is_change) {
  if (fault_.kind == Fault::Kind::kNone || (fault_.changes_only && !is_change)) return false;
  ++seen_;
  if (fault_.at != 0 && fault_.at != seen_) return false;
  ++hits_;
  return true;
}

std::int32_t Wire::request(const vcp_http_t* http, const vcp_call_t* call, const vcp_http_request_t* request,
                           const vcp_http_sink_t* out, vcp_error_t* error) {
  Wire& self = *static_cast<Wire*>(http->host_data);
  if (call == nullptr || call->host_data == nullptr || request == nullptr || out == nullptr) {
    return fillError(error, plugin::Outcome::kNotApplied, VCP_INVALID_ARGUMENT, "http request: null argument");
  }
  const std::lock_guard<std::recursive_mutex> lock(self.mutex_);
  return self.serve(Frame::of(call), *request, *out, error);
}

std::int32_t Wire::serve(Frame& frame, const vcp_http_request_t& request, const vcp_http_sink_t& out,
                         vcp_error_t* error) {
  using Kind = Fault::Kind;
  if (const char* why = faultOf(request)) {
    return fillError(error, plugin::Outcome::kNotApplied, VCP_INVALID_ARGUMENT,
                     (std::string("http request: ") + why).c_str());
  }
  const std::string line = std::string(view(request.method)) + " " + std::string(view(request.url));
  host_.inspectRequest(line, view(request.url), frame.grant);
  host_.inspectRequest(line, view(request.body), frame.grant);
  for (std::uint64_t i = 0; i < request.header_count; ++i) {
    host_.inspectRequest(line, view(request.headers[i].value), frame.grant);
  }
  if (frame.cancelled) {
    ++frame.after_cancel;
    return fillError(error, plugin::Outcome::kNotApplied, VCP_CANCELLED, "http request: the call was cancelled");
  }
  if (host_.now() >= frame.raw.deadline_mono_ms) {
    return fillError(error, plugin::Outcome::kNotApplied, VCP_DEADLINE_EXCEEDED,
                     "http request: the deadline has passed");
  }
  host_.pass(kRequestMs);
  const bool is_change = cloud_.is_change(instance_, &request) != 0;
  ++requests_;
  ++frame.requests;
  if (is_change) {
    ++frame.changes;
    changes_.push_back(line);
  }
  const bool fails = meetsFault(is_change);
  if (fails) ++frame.faults;
  if (frame.cancel_after >= 0 && frame.requests >= frame.cancel_after) frame.cancelled = true;

  const Kind kind = fails ? fault_.kind : Kind::kNone;
  if (kind == Kind::kRefused) {
    return fillError(error, plugin::Outcome::kNotApplied, VCP_UNAVAILABLE, "http request: connection refused");
  }
  if (kind == Kind::kRequestLost) {
    return fillError(error, plugin::Outcome::kUnknown, VCP_UNAVAILABLE, "http request: the connection was closed");
  }
  if (kind == Kind::kStatus) {
    deliver(answerOf(fault_), out);
    return VCP_OK;
  }
  Kept kept;
  cloud_.handle(instance_, &request, &kept.sink);
  if (is_change && kept.response.status >= 200 && kept.response.status < 300) ++frame.applied;
  if (kind == Kind::kAnswerLost) {
    return fillError(error, plugin::Outcome::kUnknown, VCP_UNAVAILABLE, "http request: the connection was closed");
  }
  if (kind == Kind::kSlow) {
    host_.pass(std::max<std::int64_t>(0, frame.raw.deadline_mono_ms - host_.now()));
    return fillError(error, plugin::Outcome::kUnknown, VCP_DEADLINE_EXCEEDED, "http request: the deadline has passed");
  }
  if (kind == Kind::kTorn) kept.response.body.resize(kept.response.body.size() / 2);
  deliver(kept.response, out);
  return VCP_OK;
}

}  // namespace vcp::check

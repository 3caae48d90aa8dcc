// SPDX-License-Identifier: Apache-2.0
#include "sim/cloud.h"

#include <dlfcn.h>

#include <stdexcept>

namespace vcc::sim {
namespace {

using vcp::plugin::borrow;
using vcp::plugin::view;

/// An HttpRequest in the shape of the ABI; borrows.
struct RawRequest {
  explicit RawRequest(const HttpRequest& request) {
    for (const auto& [name, value] : request.headers) headers.push_back({borrow(name), borrow(value)});
    raw.struct_size = sizeof raw;
    raw.method = borrow(request.method);
    raw.url = borrow(request.url);
    raw.body = borrow(request.body);
    raw.headers = headers.data();
    raw.header_count = headers.size();
  }
  std::vector<vcp_http_header_t> headers;
  vcp_http_request_t raw{};
};

struct Sink {
  explicit Sink(HttpResponse& response) {
    raw.struct_size = sizeof raw;
    raw.plugin_data = &response;
    raw.status = [](const vcp_http_sink_t* sink, std::int32_t status, std::int64_t retry_after_ms) {
      of(sink).status = status;
      of(sink).retry_after_ms = retry_after_ms;
    };
    raw.header = [](const vcp_http_sink_t* sink, vcp_string_t name, vcp_string_t value) {
      of(sink).headers.emplace_back(view(name), view(value));
    };
    raw.body = [](const vcp_http_sink_t* sink, vcp_string_t bytes) -> std::int32_t {
      of(sink).body += view(bytes);
      return VCP_OK;
    };
  }
  static HttpResponse& of(const vcp_http_sink_t* sink) { return *static_cast<HttpResponse*>(sink->plugin_data); }
  vcp_http_sink_t raw{};
};

}  // namespace

Cloud::Cloud(const CloudSpec& spec, const std::string& folder) : spec_(spec) {
  const std::string path = folder + "/" + spec.cloud;
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) throw std::runtime_error(std::string("cloud ") + ::dlerror());
  entry_ = static_cast<const vcp_fake_cloud_entry_t*>(::dlsym(library, VCP_FAKE_CLOUD_SYMBOL));
  if (entry_ == nullptr || entry_->struct_size < sizeof *entry_ || entry_->revision != VCP_FAKE_CLOUD_REVISION) {
    throw std::runtime_error(path + ": is no simulated cloud of this revision");
  }
  cloud_ = entry_->open(borrow(spec_.options));
  if (cloud_ == nullptr) throw std::runtime_error(path + ": refuses its options " + spec_.options);
  entry_->add_foreign(cloud_);
  foreign_ = objects();
}

Cloud::~Cloud() { entry_->close(cloud_); }

HttpResponse Cloud::handle(const HttpRequest& request, std::int64_t now_ms) {
  entry_->advance(cloud_, now_ms - now_ms_);
  now_ms_ = now_ms;
  const RawRequest raw(request);
  HttpResponse response;
  const Sink sink(response);
  entry_->handle(cloud_, &raw.raw, &sink.raw);
  return response;
}

bool Cloud::isChange(const HttpRequest& request) const {
  const RawRequest raw(request);
  return entry_->is_change(cloud_, &raw.raw) != 0;
}

std::vector<CloudObject> Cloud::objects() const {
  std::vector<CloudObject> all;
  vcp_fake_object_sink_t sink{};
  sink.struct_size = sizeof sink;
  sink.tool_data = &all;
  sink.object = [](const vcp_fake_object_sink_t* out, const vcp_fake_object_t* object) {
    static_cast<std::vector<CloudObject>*>(out->tool_data)
        ->push_back({std::string(view(object->kind)), std::string(view(object->name)), std::string(view(object->id)),
                     std::string(view(object->owner))});
  };
  entry_->objects(cloud_, &sink);
  return all;
}

}  // namespace vcc::sim

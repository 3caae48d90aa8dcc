// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/http.h"

/// A simulated cloud for `vcp-plugin-check conformance --cloud FILE`: a shared object that answers the HTTP requests of
/// a driver in process, without sockets and with a time of its own. Derive a class from FakeCloud, say
/// VCP_FAKE_CLOUD(MyCloud), and build it with vcp_add_fake_cloud(). The suite loses answers, delays and breaks them by
/// itself; the cloud only has to be right.
extern "C" {

typedef struct vcp_fake_cloud vcp_fake_cloud_t;

/// One object that exists and costs money. Texts are borrowed for the call.
typedef struct vcp_fake_object {
  uint32_t struct_size;
  uint32_t reserved;
  vcp_string_t kind;   // "machine" for machines; else the author's word
  vcp_string_t name;   // may be empty
  vcp_string_t id;     // as a driver reports it
  vcp_string_t owner;  // the account it belongs to, told from the credentials of the request that made it
} vcp_fake_object_t;

typedef struct vcp_fake_object_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* tool_data;
  void (*object)(const struct vcp_fake_object_sink* sink, const vcp_fake_object_t* object);
} vcp_fake_object_sink_t;

/// The one symbol of the file. The tool makes one call at a time.
typedef struct vcp_fake_cloud_entry {
  uint32_t struct_size;
  uint32_t revision;  // VCP_FAKE_CLOUD_REVISION
  /// A new, empty cloud. `options`: JSON of `cloud_options` in the case file. Null: they are wrong.
  vcp_fake_cloud_t* (*open)(vcp_string_t options);
  void (*close)(vcp_fake_cloud_t* cloud);
  /// Does this request change the cloud? 1 or 0. Logging in is no change.
  int32_t (*is_change)(vcp_fake_cloud_t* cloud, const vcp_http_request_t* request);
  void (*handle)(vcp_fake_cloud_t* cloud, const vcp_http_request_t* request, const vcp_http_sink_t* out);
  void (*objects)(vcp_fake_cloud_t* cloud, const vcp_fake_object_sink_t* out);
  void (*advance)(vcp_fake_cloud_t* cloud, int64_t ms);
  void (*add_foreign)(vcp_fake_cloud_t* cloud);
} vcp_fake_cloud_entry_t;
}

#define VCP_FAKE_CLOUD_REVISION 0
#define VCP_FAKE_CLOUD_SYMBOL "vcp_fake_cloud_v0"

namespace vcp::plugin::testing {

struct CloudObject {
  std::string kind;
  std::string name;
  std::string id;
  std::string owner;
};

/// What an author writes. The constructor takes the options (JSON text) and may throw to refuse them; nothing else may
/// throw. The time of the cloud is the sum of what `advance` was given.
class FakeCloud {
 public:
  FakeCloud() = default;
  FakeCloud(const FakeCloud&) = delete;
  FakeCloud& operator=(const FakeCloud&) = delete;
  virtual ~FakeCloud() = default;

  virtual HttpResponse handle(const HttpRequest& request) = 0;
  virtual bool isChange(const HttpRequest& request) const {
    return request.method != "GET" && request.method != "HEAD";
  }
  /// What exists now and costs money, of all accounts: machines, disks, addresses; not what vanishes with its machine.
  virtual std::vector<CloudObject> objects() const = 0;
  /// Time passes: machines boot, disks are copied.
  virtual void advance(std::int64_t ms) = 0;
  /// Adds a machine of somebody else to the first account, one that a careless list would take for its own.
  virtual void addForeign() = 0;
};

namespace cloud_detail {

template <class Cloud>
struct FakeCloudEntry {
  static FakeCloud& self(vcp_fake_cloud_t* cloud) { return *reinterpret_cast<FakeCloud*>(cloud); }

  static HttpRequest copy(const vcp_http_request_t& raw) {
    HttpRequest request;
    request.method = view(raw.method);
    request.url = view(raw.url);
    request.body = view(raw.body);
    request.account = view(raw.account);
    for (std::uint64_t i = 0; i < raw.header_count; ++i) {
      request.headers.emplace_back(view(raw.headers[i].name), view(raw.headers[i].value));
    }
    return request;
  }

  static vcp_fake_cloud_t* open(vcp_string_t options) {
    try {
      FakeCloud* cloud = std::make_unique<Cloud>(view(options)).release();
      return reinterpret_cast<vcp_fake_cloud_t*>(cloud);
    } catch (...) {
      return nullptr;
    }
  }
  static void close(vcp_fake_cloud_t* cloud) { delete &self(cloud); }
  static std::int32_t isChange(vcp_fake_cloud_t* cloud, const vcp_http_request_t* request) {
    return self(cloud).isChange(copy(*request)) ? 1 : 0;
  }
  static void handle(vcp_fake_cloud_t* cloud, const vcp_http_request_t* request, const vcp_http_sink_t* out) {
    const HttpResponse response = self(cloud).handle(copy(*request));
    out->status(out, response.status, response.retry_after_ms);
    for (const auto& field : response.headers) out->header(out, borrow(field.first), borrow(field.second));
    if (!response.body.empty()) out->body(out, borrow(response.body));
  }
  static void objects(vcp_fake_cloud_t* cloud, const vcp_fake_object_sink_t* out) {
    for (const CloudObject& object : self(cloud).objects()) {
      const vcp_fake_object_t raw{sizeof raw,          0, borrow(object.kind), borrow(object.name), borrow(object.id),
                                  borrow(object.owner)};
      out->object(out, &raw);
    }
  }
  static void advance(vcp_fake_cloud_t* cloud, std::int64_t ms) { self(cloud).advance(ms); }
  static void addForeign(vcp_fake_cloud_t* cloud) { self(cloud).addForeign(); }
};

}  // namespace cloud_detail
}  // namespace vcp::plugin::testing

/// Once per file, outside of any namespace. `CloudClass` is constructed from (std::string_view options).
#define VCP_FAKE_CLOUD(CloudClass)                                                 \
  extern "C" VCP_PLUGIN_EXPORT const vcp_fake_cloud_entry_t vcp_fake_cloud_v0;     \
  const vcp_fake_cloud_entry_t vcp_fake_cloud_v0 = {                               \
      sizeof(vcp_fake_cloud_entry_t),                                              \
      VCP_FAKE_CLOUD_REVISION,                                                     \
      &::vcp::plugin::testing::cloud_detail::FakeCloudEntry<CloudClass>::open,     \
      &::vcp::plugin::testing::cloud_detail::FakeCloudEntry<CloudClass>::close,    \
      &::vcp::plugin::testing::cloud_detail::FakeCloudEntry<CloudClass>::isChange, \
      &::vcp::plugin::testing::cloud_detail::FakeCloudEntry<CloudClass>::handle,   \
      &::vcp::plugin::testing::cloud_detail::FakeCloudEntry<CloudClass>::objects,  \
      &::vcp::plugin::testing::cloud_detail::FakeCloudEntry<CloudClass>::advance,  \
      &::vcp::plugin::testing::cloud_detail::FakeCloudEntry<CloudClass>::addForeign}

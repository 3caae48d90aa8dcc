// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fake_openstack.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/disk.h"
#include "vcp/plugin/testing/fake_crypto.h"
#include "vcp/plugin/testing/fake_session.h"

namespace openstack_test {

using namespace vcp::plugin;
using fake_openstack::FakeOpenStack;
using testing::Answers;
using testing::CallOptions;
using testing::FakeCrypto;
using testing::FakeHost;
using testing::FakeSession;
using testing::ItemAnswer;
using testing::OpenDisks;
using testing::OpenDriver;
using testing::Seen;
using testing::SeenDisks;

constexpr char kEntry[] =
    R"({"auth_url":"https://cloud.test:5000/v3","region":"RegionOne","tenant_name":"alice","network_name":"priv",)"
    R"("security_group":"vcp","openstack_default_image":"ubuntu"})";
constexpr char kKeys[] = R"({"user_name":"alice.of.cloud","password":"secret-of-alice-0123456789"})";
constexpr char kAccounts[] =
    R"({"accounts":[{"user":"alice.of.cloud","secret":"secret-of-alice-0123456789","project":"alice"},)"
    R"({"user":"cred-1","secret":"secret-of-bob-9876543210","project":"bob","application":true}],"lag_ms":0})";
constexpr char kSpec[] = R"({"provider":"openstack","cloud_params":{"flavor_name":"m1.small","cloud_image":"default",)"
                         R"("tags":{"project":"demo"}},"access":{"user":"ubuntu","public_keys":["ssh-ed25519 AAAA"],)"
                         R"("user_data":"#cloud-config\n"}})";

/// HTTP of a FakeHost that goes to a fake cloud, unless a test answers by itself. For one thread.
class CloudHttp {
 public:
  CloudHttp(FakeHost& host, FakeOpenStack& cloud) : cloud_(cloud) {
    table_.struct_size = sizeof table_;
    table_.host_data = this;
    table_.request = &take;
    host.provide(VCP_HTTP_ID, &table_);
  }

  std::vector<HttpRequest> requests;
  /// Answers a request instead of the cloud, when it gives something.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> instead;
  /// The cloud does what it is asked, and its answer is lost.
  std::function<bool(const HttpRequest&)> loses;

  std::vector<HttpRequest> sent(const std::string& method, const std::string& part) const {
    std::vector<HttpRequest> all;
    for (const HttpRequest& request : requests) {
      if (request.method == method && request.url.find(part) != std::string::npos) all.push_back(request);
    }
    return all;
  }

 private:
  static std::int32_t take(const vcp_http_t* http, const vcp_call_t*, const vcp_http_request_t* raw,
                           const vcp_http_sink_t* out, vcp_error_t* error) {
    CloudHttp& self = *static_cast<CloudHttp*>(http->host_data);
    HttpRequest request;
    request.method = view(raw->method);
    request.url = view(raw->url);
    request.body = view(raw->body);
    request.account = view(raw->account);
    request.ca_file = view(raw->ca_file);
    request.ca_pem = view(raw->ca_pem);
    for (std::uint64_t i = 0; i < raw->header_count; ++i) {
      request.headers.emplace_back(view(raw->headers[i].name), view(raw->headers[i].value));
    }
    self.requests.push_back(request);
    std::optional<HttpResponse> response;
    if (self.instead) response = self.instead(request);
    if (!response) response = self.cloud_.handle(request);
    if (self.loses && self.loses(request)) {
      return detail::fillError(error, Outcome::kUnknown, VCP_UNAVAILABLE, "the answer was lost");
    }
    out->status(out, response->status, response->retry_after_ms);
    for (const auto& field : response->headers) out->header(out, borrow(field.first), borrow(field.second));
    if (!response->body.empty()) out->body(out, borrow(response->body));
    return VCP_OK;
  }

  FakeOpenStack& cloud_;
  vcp_http_t table_{};
};

/// A driver on a fake cloud.
struct Rig {
  FakeHost host;
  FakeCrypto crypto{host};
  FakeSession session{host};
  FakeOpenStack cloud{kAccounts};
  CloudHttp http{host, cloud};
  OpenDriver driver;
  std::string usual_entry = kEntry;

  explicit Rig(const char* config = R"({"instance":"openstack","evaluation":false,"options":{}})")
      : driver(vcp_plugin_v0, host, config) {}

  const vcp_call_t* call(std::int64_t attempt = 1, const std::string& entry = "",
                         const std::string& credentials = kKeys) {
    CallOptions options;
    options.op_id = "op";
    options.vcc_id = "vcc1";
    options.attempt = attempt;
    options.catalog_entry = entry.empty() ? usual_entry : entry;
    options.credentials = credentials;
    return host.call(options);
  }
  /// Until create is done, as a host does it; the answer to the last step.
  ItemAnswer make(Items& items, const std::string& spec = kSpec, const std::string& entry = "");
  /// Time of cloud and host.
  void pass(std::int64_t ms) {
    cloud.advance(ms);
    host.mono_ms += ms;
    host.wall_ms += ms;
  }
  std::size_t changes() const {
    std::size_t count = 0;
    for (const HttpRequest& request : http.requests) count += cloud.isChange(request) ? 1U : 0U;
    return count;
  }
  Json body(std::size_t i) const { return Json::parse(http.requests.at(i).body); }
};

/// Texts that items borrow.
inline std::string_view kept(const std::string& text) {
  static std::vector<std::unique_ptr<std::string>> all;
  all.push_back(std::make_unique<std::string>(text));
  return *all.back();
}

inline Items items(std::size_t count) {
  Items all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i].index = static_cast<std::int64_t>(i);
    all[i].name = kept("vcp-0000000a-" + std::to_string(10'000 + i));
    all[i].display_name = "group-unit-1";
    all[i].create_op = "op";
  }
  return all;
}

inline void learn(Item& item, const ItemAnswer& answer) {
  if (!answer.cloud_id.empty()) item.cloud_id = kept(answer.cloud_id);
  for (const Resource& part : answer.resources) {
    bool known = false;
    for (Resource& one : item.resources) {
      if (one.kind != part.kind || one.name != part.name) continue;
      one.id = part.id;
      known = true;
    }
    if (!known) item.resources.push_back(part);
  }
}

inline ItemAnswer Rig::make(Items& items, const std::string& spec, const std::string& entry) {
  ItemAnswer last;
  for (Item& item : items) {
    for (std::int64_t attempt = 1; attempt < 10; ++attempt) {
      last = driver.create(call(attempt, entry), spec, {item}).items[item.index];
      learn(item, last);
      if (last.pending == 0) break;
    }
  }
  return last;
}

inline Json with(const char* json, const std::string& more) {
  Json all = Json::parse(json);
  all.merge_patch(Json::parse(more));
  return all;
}

inline std::string specWith(const std::string& params) {
  return with(kSpec, R"({"cloud_params":)" + params + "}").dump();
}
inline std::string entryWith(const std::string& more) { return with(kEntry, more).dump(); }

inline HttpResponse answer(int status, const std::string& body, std::int64_t retry_after_ms = 0) {
  HttpResponse response;
  response.status = status;
  response.body = body;
  response.retry_after_ms = retry_after_ms;
  return response;
}

inline std::string headerOf(const HttpRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace openstack_test

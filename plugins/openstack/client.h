// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "identity.h"
#include "site.h"
#include "vcp/plugin/cpp/crypto.h"
#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/session.h"

namespace openstack {

/// The host's services that requests need. One for each driver instance.
struct Services {
  explicit Services(const vcp::plugin::Host& h) : host(h), http(h), crypto(h), session(h) {}
  vcp::plugin::Host host;
  vcp::plugin::Http http;
  vcp::plugin::Crypto crypto;
  vcp::plugin::Session session;
};

enum class Service { kCompute, kNetwork, kImage, kVolume };

/// One change of the cloud.
struct Change {
  Service service = Service::kCompute;
  std::string method;
  std::string path;
  vcp::plugin::Json body = nullptr;  ///< null: none
  std::string microversion;          ///< of the service; empty: what reads use
};

/// One project of one cloud with the credentials of one call. Made anew for each call: nothing of a user may outlive
/// it, but what the host's session cache keeps. Every function throws vcp::plugin::Error.
class Client {
 public:
  Client(const Services& services, const vcp::plugin::Call& call, const Site& site);

  /// A request that changes nothing: whatever goes wrong, the outcome is "not applied".
  vcp::plugin::Json get(Service service, const std::string& path) const;
  /// The same; nothing when the cloud itself says that there is no such object.
  std::optional<vcp::plugin::Json> find(Service service, const std::string& path) const;
  /// Every member of the list `key`, of all pages (at most 1,000).
  void each(Service service, const std::string& path, const char* key,
            const std::function<void(const vcp::plugin::Json&)>& take) const;

  /// One change. The answer's body; null when it has none.
  vcp::plugin::Json change(const Change& what) const;

  /// The id that a name of the cloud stands for: what `ask` says, kept for half a minute, so that the machines of a
  /// unit ask once.
  std::string remembered(const std::string& key, const std::function<std::string()>& ask) const;

  /// Logs in, unless it is.
  Login login() const;
  const Site& site() const { return site_; }

 private:
  std::string loginText() const;
  vcp::plugin::SessionValue logIn() const;
  vcp::plugin::HttpResponse send(const Change& what) const;
  vcp::plugin::HttpResponse read(Service service, const std::string& path) const;

  const Services& services_;
  const vcp::plugin::Call& call_;
  const Site& site_;
  const Credentials credentials_;
};

}  // namespace openstack

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "form.h"
#include "spec.h"
#include "vcp/plugin/cpp/crypto.h"
#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/cpp/xml.h"

namespace ec2 {

/// The host's services that requests need. One for each driver instance.
struct Services {
  explicit Services(const vcp::plugin::Host& h) : host(h), http(h), crypto(h) {}
  vcp::plugin::Host host;
  vcp::plugin::Http http;
  vcp::plugin::Crypto crypto;
};

/// EC2 of one region with the credentials of one call. Made anew for each call: nothing of a user may outlive it. Every
/// function throws vcp::plugin::Error.
class Client {
 public:
  Client(const Services& services, const vcp::plugin::Call& call, const Entry& entry);

  /// A request that changes nothing: whatever goes wrong, the outcome is "not applied".
  vcp::plugin::XmlDocument read(const Form& form) const;
  /// The same in pages: `take` gets each page; at most 1,000 pages.
  void readAll(const Form& form, const std::function<void(const vcp::plugin::XmlNode& page)>& take) const;
  /// One change.
  vcp::plugin::XmlDocument change(const Form& form) const;

 private:
  vcp::plugin::XmlDocument send(const Form& form) const;

  const Services& services_;
  const vcp::plugin::Call& call_;
  const Entry& entry_;
  const Credentials credentials_;
};

}  // namespace ec2

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/session.h"

namespace tiny {

/// The requests of the tiny cloud, with the credentials of one call. Made anew for each call: nothing of a user may
/// outlive it. Every function throws vcp::plugin::Error; where nothing was asked to change, its outcome is "not
/// applied".
class Client {
 public:
  /// `endpoint` comes from the administrator's catalog, never from the user.
  Client(const vcp::plugin::Http& http, const vcp::plugin::Session& session, const vcp::plugin::Call& call,
         std::string endpoint);

  vcp::plugin::Json get(const std::string& path);
  /// Nothing when the cloud itself says that the object does not exist.
  std::optional<vcp::plugin::Json> find(const std::string& path);
  /// Every page of a list; `path` has a query already.
  std::vector<vcp::plugin::Json> list(const std::string& path);

  /// One change.
  vcp::plugin::Json post(const std::string& path, const vcp::plugin::Json& body);
  /// One change; absent is done.
  void remove(const std::string& path);

 private:
  vcp::plugin::Json change(const std::string& method, const std::string& path, const std::string& body);
  vcp::plugin::HttpResponse send(const std::string& method, const std::string& path, const std::string& body);
  std::string token();
  vcp::plugin::SessionValue login();

  const vcp::plugin::Http& http_;
  const vcp::plugin::Session& session_;
  const vcp::plugin::Call& call_;
  const std::string endpoint_;
  std::string user_;
  std::string password_;
};

}  // namespace tiny

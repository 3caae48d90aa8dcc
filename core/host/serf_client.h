// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "host/serf_protocol.h"

namespace vcc {

/// Follows the members of the serf agent beside the controller over its RPC port: all of them after each connect, then
/// every join, leave and failure. One thread, which connects again when the agent was away (1 to 30 s apart). Says once
/// when no agent is there, or it went (SERF_ABSENT, SERF_LOST), and when it is (SERF_CONNECTED).
class SerfClient {
 public:
  /// Called on the client's thread; must not block.
  using Report = std::function<void(std::vector<SerfMember>)>;

  /// `rpc_address`: "127.0.0.1:7373". Starts the thread. kInvalidArgument for what is no such address. The references
  /// outlive the result.
  static Result<std::unique_ptr<SerfClient>> start(const std::string& rpc_address, const Clock& clock, Logger& log,
                                                   Report report);
  /// Ends the thread.
  ~SerfClient();

  /// True while an agent answers. Any thread.
  bool isConnected() const;

 private:
  class Impl;
  explicit SerfClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vcc

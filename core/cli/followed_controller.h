// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "cli/json.h"

namespace vcc::cli {

/// A controller that is asked over and over. Once it has answered, a restart of it is waited for and said on stderr
/// instead of ending what watches it.
class FollowedController {
 public:
  /// `socket_path`: its admin socket.
  explicit FollowedController(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  /// GET `path`. Blocks until there is an answer; kUnavailable only while there has never been one.
  Result<Json> ask(const std::string& path);
  /// The time between two questions. Blocks.
  static void pause();

 private:
  const std::string socket_path_;
  bool answered_ = false;
};

}  // namespace vcc::cli

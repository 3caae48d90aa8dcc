// SPDX-License-Identifier: Apache-2.0
#include "cli/followed_controller.h"

#include <chrono>
#include <iostream>
#include <thread>

#include "cli/admin_client.h"

namespace vcc::cli {

// The controller keeps nobody waiting on its socket: a short question now and then costs it less than a thread.
void FollowedController::pause() { std::this_thread::sleep_for(std::chrono::seconds(1)); }

Result<Json> FollowedController::ask(const std::string& path) {
  Result<Json> answer = askController(socket_path_, "GET", path, "");
  for (bool said = false; answered_ && answer.status().code() == Code::kUnavailable; said = true) {
    if (!said) std::cerr << "vcc: " << answer.status().message() << "; waiting for it\n";
    pause();
    answer = askController(socket_path_, "GET", path, "");
    if (answer.ok()) std::cerr << "vcc: the controller is back\n";
  }
  answered_ = answered_ || answer.ok();
  return answer;
}

}  // namespace vcc::cli

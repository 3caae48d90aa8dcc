// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace vcc {

/// What `vcc plugin check` is told, in this order: steps that passed, then a refusal or facts.
struct CheckReport {
  std::function<void(std::string_view step, std::string_view detail)> passed;
  std::function<void(std::string_view id, std::string_view reason)> refused;
  std::function<void(std::string_view key, std::string_view value)> fact;
};

/// Takes one plugin file through the steps of the loader, in this process, offline: the driver gets no network. The
/// file's owner and mode are judged as if this process were the server. `settings`: text of a file for providers.d
/// whose options, pinned hash and aliases count, or empty. `work_dir`: what the driver gets as its data folder. An
/// evaluation folder is assumed. Runs code of the plugin: call it in a process that may die.
Status checkPlugin(const std::string& path, const std::string& settings_file, const std::string& settings,
                   const std::string& work_dir, const CheckReport& report);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "plugin_host/plugin_check.h"

namespace vcc::cli {

/// checkPlugin in a child process, so that nothing the plugin does can harm the caller: a crash or 60 s without an end
/// is PLUGIN_CRASHED. `report` is called in this process as the steps come in. kFailedPrecondition when the plugin is
/// refused. Blocks; call it while the process has one thread.
Status tryPlugin(const std::string& path, const std::string& settings_file, const std::string& settings,
                 const CheckReport& report);

}  // namespace vcc::cli

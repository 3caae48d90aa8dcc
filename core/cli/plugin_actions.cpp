// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "base/file_system.h"
#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/plugin_trial.h"
#include "cli/table.h"
#include "plugin_host/refusals.h"

namespace vcc::cli {
namespace {

constexpr std::size_t kMaxSettingsBytes = 64U << 10U;

bool isLoaded(const Json& plugin) { return plugin.text("state") == "loaded"; }

void printRefusals(const std::vector<Json>& plugins) {
  for (const Json& plugin : plugins) {
    if (isLoaded(plugin)) continue;
    std::cout << '\n'
              << printable(plugin.text("instance")) << ": refused, " << plugin.text("reason_id") << "\n  "
              << printable(plugin.text("reason")) << "\n  what to do: " << printable(plugin.text("remedy")) << '\n';
  }
}

/// One line each, and the reasons below the table.
void printPlugins(const std::vector<Json>& plugins) {
  std::vector<std::vector<std::string>> rows{
      {"DRIVER", "PROVIDERS", "STATE", "VERSION", "ABI", "CAPABILITIES", "IDEMPOTENCY", "CALLS", "FILE", "SHA256"}};
  for (const Json& plugin : plugins) {
    const bool loaded = isLoaded(plugin);
    const auto known = [&plugin](const char* key) { return plugin.text(key).empty() ? "-" : plugin.text(key); };
    std::vector<std::string> capabilities = plugin.texts("capabilities");
    for (const std::string& extension : plugin.texts("extensions")) capabilities.push_back(extension);
    rows.push_back({plugin.text("instance"), joined(plugin.texts("providers"), ","),
                    loaded ? "loaded" : plugin.text("reason_id"), known("version"), known("abi"),
                    joined(capabilities, ","), known("idempotency"),
                    loaded ? std::to_string(plugin.number("concurrency")) : "-", known("path"), known("sha256")});
  }
  std::cout << formatTable(rows);
  printRefusals(plugins);
}

}  // namespace

Status listPlugins(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(const Json answer, askController(socket_path, "GET", "/plugins", ""));
  if (arguments.has("--json")) {
    std::cout << answer.pretty() << '\n';
  } else {
    printPlugins(answer.items("plugins"));
  }
  return okStatus();
}

Status loadPlugin(const std::string& socket_path, const Arguments& arguments) {
  const std::string& name = arguments.positional.front();
  VCC_ASSIGN_OR_RETURN(const Json answer,
                       askController(socket_path, "POST", "/plugins/load", jsonObject({{"name", name}})));
  const std::vector<Json> plugins = answer.items("plugins");
  bool refused = false;
  for (const Json& plugin : plugins) refused = refused || !isLoaded(plugin);
  if (arguments.has("--json")) {
    std::cout << answer.pretty() << '\n';
  } else {
    for (const Json& plugin : plugins) {
      if (!isLoaded(plugin)) continue;
      std::cout << "driver " << printable(plugin.text("instance"))
                << " loaded: " << printable(plugin.text("display_name")) << ' ' << printable(plugin.text("version"))
                << " from " << printable(plugin.text("path")) << '\n';
    }
    printRefusals(plugins);
  }
  return refused
             ? failedPrecondition("plugin load " + name + ": refused, as said above; what was loaded before goes on")
             : okStatus();
}

Status checkPluginFile(const std::string& /*socket_path*/, const Arguments& arguments) {
  const std::string& path = arguments.positional.front();
  const std::string settings_file = arguments.get("--settings");
  std::string settings;
  if (!settings_file.empty()) {
    PosixFileSystem files;
    VCC_ASSIGN_OR_RETURN(settings, files.read(settings_file, kMaxSettingsBytes));
  }
  const CheckReport report{
      [](std::string_view step, std::string_view detail) {
        std::cout << "ok       " << step << (detail.empty() ? "" : ": ") << detail << std::endl;
      },
      [](std::string_view id, std::string_view reason) {
        std::cout << "refused  " << id << ": " << reason << "\n         what to do: " << remedyFor(id) << std::endl;
      },
      [](std::string_view key, std::string_view value) { std::cout << "         " << key << ": " << value << '\n'; }};
  return tryPlugin(path, settings_file, settings, report);
}

}  // namespace vcc::cli

// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/refusals.h"

#include <algorithm>
#include <array>

namespace vcc {
namespace {

// As in docs/log-messages.md; a test compares them.
constexpr std::array<Remedy, 20> kRemedies{{
    {"PLUGIN_ABI_REFUSED", "rebuild it with the SDK of this release"},
    {"PLUGIN_CRASHED", "do not install it; report it to the driver's vendor"},
    {"PLUGIN_DESCRIPTOR_BAD", "correct the descriptor and rebuild it, or report it to the driver's vendor"},
    {"PLUGIN_DUPLICATE", "change `name` or `providers` in providers.d, or remove one file"},
    {"PLUGIN_EXTENSION_HALF",
     "complete the extension or offer none, and rebuild it, or report it to the driver's vendor"},
    {"PLUGIN_HASH_MISMATCH", "find out who replaced it, then update the key and `vcc plugin load` it"},
    {"PLUGIN_INIT_FAILED", "do what its words say and restart"},
    {"PLUGIN_MAGIC_BAD", "install the file again"},
    {"PLUGIN_MODE_REFUSED", "chown it to root, chmod go-w, also its folders, then `vcc plugin load` it"},
    {"PLUGIN_NEEDS_RESTART", "restart the controller: machines go on, and it takes up where it was"},
    {"PLUGIN_NOT_EVALUATION", "make an evaluation data folder, or set `enabled: false`"},
    {"PLUGIN_OPEN_DRIVER_FAILED", "correct `options` in providers.d, then `vcc plugin load` it"},
    {"PLUGIN_OPEN_FAILED", "rebuild it for this system, then `vcc plugin load` it"},
    {"PLUGIN_PATH_REFUSED", "install it in one of plugin_dirs, then `vcc plugin load` it"},
    {"PLUGIN_REQUIRED_MISSING", "add the function and rebuild it, or report it to the driver's vendor"},
    {"PLUGIN_SCHEMA_BAD", "correct the schema and rebuild it, or report it to the driver's vendor"},
    {"PLUGIN_SYMBOL_MISSING", "name the right file in providers.d, then `vcc plugin load` it"},
    {"PLUGIN_TABLE_SHORT", "rebuild it with the SDK"},
    {"PROVIDER_CONFIG_BAD", "correct the file, then `vcc plugin load` it"},
    {"PROVIDER_NOT_ENABLED",
     "set `enabled: true` in its file, or add it to `providers` of occtr.yml, which needs a restart"},
}};

}  // namespace

std::string_view remedyFor(std::string_view id) {
  const auto* const found =
      std::find_if(kRemedies.begin(), kRemedies.end(), [&](const Remedy& r) { return r.id == id; });
  return found == kRemedies.end() ? std::string_view() : found->text;
}

std::span<const Remedy> remedies() { return kRemedies; }

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "plugin_host/poco_http_transport.h"
#include "plugin_host/registry.h"
#include "support/temp_dir.h"

namespace vcc::test {

/// Counts lines by id and keeps their text.
class CountingLogger final : public Logger {
 public:
  void write(Severity, std::string_view id, std::string_view text, std::initializer_list<LogField> fields) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string line(text);
    for (const LogField& field : fields) line += " " + std::string(field.key) + "=" + field.value;
    lines_[std::string(id)].push_back(line);
  }
  std::size_t count(const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_[id].size();
  }
  std::string all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string text;
    for (const auto& [id, lines] : lines_) {
      for (const std::string& line : lines) text += id + " " + line + "\n";
    }
    return text;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> lines_;
};

/// Loads real .so files of this build from configuration files of the test's own.
struct Rig {
  Rig() {
    std::filesystem::create_directory(config.providers_dir = dir.file("providers.d"));
    config.plugin_dirs = {VCC_BUILD_DIR "/plugins", VCC_BUILD_DIR "/bad_plugins"};
    config.data_dir = dir.path();
    config.evaluation = true;
  }
  void provider(const std::string& file, const std::string& yaml) {
    std::ofstream(config.providers_dir + "/" + file) << yaml;
  }
  /// A file <name>.yml that names the plugin <name>.so.
  void plain(const std::string& name) { provider(name + ".yml", "plugin: " + name + ".so\n"); }

  Status load() {
    Result<std::unique_ptr<PluginRegistry>> loaded = loadDrivers(config, files, clock, random, *http, log);
    if (!loaded.ok()) return loaded.status();
    registry = *std::move(loaded);
    return okStatus();
  }
  const DriverSlot& slot(const std::string& instance) const {
    const DriverSlot* found = registry->byInstance(instance);
    if (found == nullptr) throw std::runtime_error("no slot " + instance);
    return *found;
  }
  Driver& driver(const std::string& instance) const { return *slot(instance).driver; }

  TempDir dir;
  PluginConfig config;
  PosixFileSystem files;
  SystemClock clock;
  SystemRandom random;
  CountingLogger log;
  std::unique_ptr<HttpTransport> http = makePocoHttpTransport(clock, {}).value();
  std::unique_ptr<PluginRegistry> registry;
};

inline std::vector<MachineRef> refs(int count, const std::string& prefix = "vcp-test-") {
  std::vector<MachineRef> items(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].index = static_cast<std::int64_t>(i);
    items[i].name = prefix + std::to_string(i);
    items[i].create_op = "op";
    items[i].create_index = static_cast<std::int64_t>(i);
    items[i].create_size = count;
  }
  return items;
}

inline CallContext callFor(const std::string& op, const std::string& entry = "{}") {
  CallContext call;
  call.op_id = op;
  call.catalog_entry = entry;
  call.credentials = SecretString("{}");
  call.vcc_id = "vcc";
  call.deadline_ms = 30000;
  return call;
}

}  // namespace vcc::test

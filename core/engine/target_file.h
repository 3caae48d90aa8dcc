// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/executor.h"
#include "base/log.h"
#include "store/store.h"

namespace vcc {

/// Where NVIDIA's exporter listens on a machine that has one.
inline constexpr int kGpuPort = 9400;

/// The targets of one UnitGroup, as members of the JSON list of Prometheus' file_sd_configs (operations 6.7, 12.2
/// number 23 to 26): cAdvisor of every node whose base container is to run, and its GPU exporter when `has_gpu` says
/// so. Labels: job (basecontainer), ugroup, unit, node_no, node_id, provider, container_group, and for a node in an
/// error state `error` with its name. Empty for a group without any. Inside a transaction.
std::string renderTargets(const ReadTx& tx, const Vc& vc,
                          const std::function<bool(const std::string& node_id)>& has_gpu);

/// What the file borrows from the engine; for the deciding thread.
struct TargetPort {
  const Store& store;
  Logger& log;
  std::function<bool(const std::string& node_id)> has_gpu;
  std::function<std::int64_t()> gpu_version;
  /// `blocking` on an executor of its own, then `after` on the deciding thread.
  std::function<void(Job blocking, Job after)> run;
  std::function<void(std::int64_t after_ms, Job)> later;
  /// Replaces the whole file at once. Blocks.
  std::function<Status(const std::string& content)> write;
};

/// Keeps the target file of Prometheus as the records are: looked at every 5 s, written only when something changed. A
/// file that cannot be written is tried again, and logged once (TARGETS_WRITE_FAILED). Belongs to the deciding thread.
class TargetFile {
 public:
  explicit TargetFile(TargetPort port) : port_(std::move(port)) {}
  void start() { tick(); }

 private:
  struct Group {
    std::int64_t version = 0;
    std::string targets;
  };

  void tick();
  void refresh();
  std::string content() const;

  TargetPort port_;
  std::map<std::string, Group> groups_;  // by vcid
  std::int64_t gpu_version_ = 0;
  std::string written_;
  bool failed_ = false;
};

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "case_file.h"
#include "check_host.h"
#include "wire.h"

namespace vcp::check {

/// What a run is about; the same for all checks.
struct Setup {
  std::string plugin_path;
  std::string cloud_path;  ///< empty: none
  bool live = false;
  std::uint64_t seed = 1;
  Case of;
};

/// The files of a run, opened once in the process of a check.
class Bench {
 public:
  explicit Bench(const Setup& setup);
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  const Setup& setup() const { return setup_; }
  const Case& of() const { return setup_.of; }
  const vcp_plugin_entry_t& entry() const { return entry_; }
  const vcp_plugin_info_t& info() const { return *entry_.info; }
  const vcp_fake_cloud_entry_t* cloud() const { return cloud_; }
  std::size_t maxBatch() const { return info().max_batch == 0 ? 1 : info().max_batch; }
  std::size_t maxObserve() const { return info().max_observe == 0 ? 1 : info().max_observe; }
  /// Does each item of a create get a requested_address?
  bool needsAddress() const;
  /// Does the driver offer data disks?
  bool hasDisks() const;

 private:
  const Setup& setup_;
  const vcp_plugin_entry_t& entry_;
  const vcp_fake_cloud_entry_t* cloud_ = nullptr;
  CheckHost host_;  // of init
};

}  // namespace vcp::check

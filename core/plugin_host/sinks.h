// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "plugin_host/driver.h"
#include "plugin_host/host_services.h"
#include "vcp/plugin/abi.h"
#include "vcp/plugin/ext/disk.h"

/// Where a plugin's answers arrive. Everything is copied and checked here: sizes, UTF-8, indexes, how often. What
/// breaks the contract becomes an error with unknown outcome for the machine it concerns, and a PLUGIN_MISBEHAVED line.
namespace vcc {

/// Finds the position of an item by its index.
class ItemIndex {
 public:
  explicit ItemIndex(const std::vector<MachineRef>& items);
  /// -1 for a foreign index.
  std::ptrdiff_t position(std::int64_t index) const;

 private:
  std::unordered_map<std::int64_t, std::ptrdiff_t> positions_;
};

/// Results of a mutation.
class ItemCollector {
 public:
  ItemCollector(const HostServices& host, const std::vector<MachineRef>& items);
  ItemCollector(const ItemCollector&) = delete;
  ItemCollector& operator=(const ItemCollector&) = delete;

  const vcp_item_sink_t* sink() const { return &sink_; }

  /// After the call: one result per item, by position. `call` is what the function itself returned.
  std::vector<ItemResult> finish(const Status& call);

 private:
  struct Slot {
    ItemResult result;
    int answers = 0;
    std::string broken;  // how the contract was broken; empty = it was kept
  };

  template <class Change>
  static void change(const vcp_item_sink_t* sink, std::int64_t index, Change&& change) noexcept;
  static void addResource(Slot& slot, const vcp_resource_t* resource);

  const HostServices& host_;
  const ItemIndex index_;
  vcp_item_sink_t sink_{};
  Mutex mutex_;  // a driver may answer from helper threads
  std::vector<Slot> slots_ VCC_GUARDED_BY(mutex_);
};

/// Answers of observe and list.
class ObservationCollector {
 public:
  /// For observe: answers are kept by position.
  ObservationCollector(const HostServices& host, const std::vector<MachineRef>& refs);
  /// For list: each machine is given to `visit`, on the thread that the plugin calls from.
  ObservationCollector(const HostServices& host, std::function<void(const Observation&)> visit);
  ObservationCollector(const ObservationCollector&) = delete;
  ObservationCollector& operator=(const ObservationCollector&) = delete;

  const vcp_observation_sink_t* sink() const { return &sink_; }
  /// For observe of disks.
  const vcp_disk_observation_sink_t* diskSink() const { return &disk_sink_; }
  /// After observe: one observation per ref, by position.
  std::vector<Observation> finish(const Status& call);
  /// After list.
  bool isComplete() const;

 private:
  void setUp();
  void failed(std::int64_t index, const vcp_error_t* error) noexcept;
  void answer(std::int64_t index, Observation observation);

  const HostServices& host_;
  const ItemIndex index_;
  const std::function<void(const Observation&)> visit_;
  vcp_observation_sink_t sink_{};
  vcp_disk_observation_sink_t disk_sink_{};
  mutable Mutex mutex_;
  std::vector<Observation> seen_ VCC_GUARDED_BY(mutex_);
  std::vector<int> answers_ VCC_GUARDED_BY(mutex_);
  bool complete_ VCC_GUARDED_BY(mutex_) = false;
  bool broken_ VCC_GUARDED_BY(mutex_) = false;
};

/// Takes the schema.
class TextCollector {
 public:
  explicit TextCollector(std::size_t limit);
  TextCollector(const TextCollector&) = delete;
  TextCollector& operator=(const TextCollector&) = delete;
  const vcp_text_sink_t* sink() const { return &sink_; }
  const std::string& text() const { return text_; }

 private:
  vcp_text_sink_t sink_{};
  const std::size_t limit_;
  std::string text_;
};

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vcp/plugin/testing/disk.h"

namespace vcp::check {

/// A machine as the host has committed it, or a data disk: an item of the same form, made and taken away by the same
/// rules.
struct Machine {
  bool is_disk = false;
  std::string name;
  std::string display_name;
  std::string cloud_id;
  std::string address;
  std::string requested_address;
  std::string driver_state;
  std::vector<plugin::Resource> resources;
  std::string create_op;
  std::int64_t create_index = 0;
  std::int64_t create_size = 1;
  bool done = false;

  std::size_t knownIds() const;
  bool knows(const std::string& id) const;
};
using Machines = std::vector<Machine>;

/// What is left when every answer was lost: the name, and the place in the create.
Machine bare(const Machine& machine);
Machines bare(const Machines& machines);

enum class Verb : std::uint8_t { kCreate, kDestroy, kPowerOn, kPowerOff, kAttach, kDetach };
enum class Say : std::uint8_t { kDone, kPending, kError };

struct Answer {
  Say say = Say::kError;
  std::int64_t retry_after_ms = 0;
  vcp_error_t error{};
  std::string text() const;
};

/// What one call came to.
struct Result {
  Verb verb = Verb::kCreate;
  std::vector<Answer> answers;  ///< one per machine of the call
  int requests = 0;
  int changes = 0;
  int applied = 0;
  int after_cancel = 0;
  int faults = 0;
  std::int64_t slept_ms = 0;
  std::int64_t took_ms = 0;
  std::vector<std::string> reported;  ///< ids that came through the sink
};

/// What a look said of one machine or disk.
struct Sight {
  bool failed = true;
  vcp_error_t error{};
  plugin::Observation seen;      ///< of a disk as well, as far as the two have the same
  plugin::DiskObservation disk;  ///< of a disk

  bool isGone() const { return !failed && (!seen.found || seen.state == plugin::State::kGone); }
  bool shows(const std::string& id) const;
  std::string text() const;
};

}  // namespace vcp::check

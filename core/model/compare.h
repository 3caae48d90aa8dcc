// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "model/profile.h"
#include "model/records.h"

/// What `vcc check` makes of a fresh look at a node: do the record, the cloud and the container agree? Pure.
namespace vcc {

enum class Sight : std::uint8_t {
  kNone,     ///< there is nothing to look at
  kUnknown,  ///< the look failed: `why`
  kAbsent,
  kFound,
};

/// What the cloud said of the node's machine.
struct CloudSight {
  Sight sight = Sight::kNone;
  std::string why;
  MachineState state = MachineState::kUnspecified;
  std::string cloud_id;
  std::string address;
};

/// What its host said of the node's base container.
struct ContainerSight {
  Sight sight = Sight::kNone;
  std::string why;
  bool running = false;
  std::string status;  ///< the engine's own word
};

/// The columns of one line, and the first thing in which they differ; empty = they agree.
struct Comparison {
  std::string cloud;
  std::string container;
  std::string difference;
};

/// Whether the container is to be looked for: the record says that the host runs it, or holds it suspended.
bool expectsContainer(const Node& node, const Profile& profile);

/// Why a node whose machine the cloud column of `line` speaks of cannot be in `state`; ok when it can. kUnavailable
/// when the cloud could not be asked, kFailedPrecondition when it says something else.
Status admitsState(const Comparison& line, State state);

/// `machine`: null when the node has none.
Comparison compare(const Node& node, const Machine* machine, const CloudSight& cloud, const ContainerSight& container);

}  // namespace vcc

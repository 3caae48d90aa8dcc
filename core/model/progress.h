// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "model/records.h"

/// How far nodes and units are, for people: computed from what is recorded. Pure.
namespace vcc {

enum class NodeOutcome : std::uint8_t {
  kPending,  ///< on its way
  kReached,  ///< where its goal wants it
  kFailed,   ///< its way has ended somewhere else: ERROR and the like
};

NodeOutcome nodeOutcome(const Node& node);
std::string_view outcomeName(NodeOutcome outcome);

/// 100 when the goal is reached, 0 when it failed. The steps between stand for the time that they usually take, so that
/// the number moves evenly; it never means that something is certain.
int nodePercent(const Node& node);

struct UnitProgress {
  std::string verb;  ///< what is under way: "create", "create, delete"; empty = nothing
  std::int64_t reached = 0;
  std::int64_t failed = 0;
  int percent = 100;  ///< mean of the nodes
};

/// Of the nodes of a unit, none null.
UnitProgress unitProgress(std::span<const Node* const> nodes);

}  // namespace vcc

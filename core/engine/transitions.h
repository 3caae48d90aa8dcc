// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "engine/retry.h"
#include "store/store.h"

/// What records become when a step of a node succeeds or fails. All run inside a transaction.
namespace vcc {

/// A failed step of a node.
struct StepFailure {
  std::string_view attempted;  ///< "creating a machine", "starting the base container"
  Status error;
  CallKind kind = CallKind::kExisting;
  bool asserted = false;   ///< an existing server: never given back
  std::string op_id = {};  ///< of the call that failed, for events
};

/// The node is at another step, unless its goal has moved since goal_seq was `seen_goal`: then its way has begun anew.
void enterStep(Node& node, std::int64_t seen_goal, Step step, std::int64_t now);

/// Ends the node's way to its goal: state ERROR, goal reached, fault shown. A machine that never served is given
/// back; another one is kept for inspection until DELETE (choices.md "Goals and states").
Status endInError(Tx& tx, Node node, const std::string& text, bool asserted, const std::string& op_id = {});

/// Notes the failure: another try later, or ERROR when the table of engine/retry.h says that trying is useless. A
/// deletion is tried for ever.
Status recordFailure(Tx& tx, Node node, const StepFailure& failure, Random& random);

/// "creating a machine failed: <cause> [<provider code>]".
std::string failureText(const StepFailure& failure);

}  // namespace vcc

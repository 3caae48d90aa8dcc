// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

/// How deletions begin, for users and administrators alike: goals and `deleting` are set, the engine does the rest. All
/// run inside a transaction, write the events, and change nothing that is being deleted already.
namespace vcc {

/// The node gets the goal GONE, on behalf of `by`.
Status beginNodeDeletion(Tx& tx, const Node& node, const std::string& by);

/// The same for the unit and its nodes, whose ids are added to `touched`; a unit without nodes is erased at once.
Status beginUnitDeletion(Tx& tx, Unit unit, const std::string& by, std::vector<std::string>& touched);

/// The same for the VC and its units.
Status beginVcDeletion(Tx& tx, Vc vc, const std::string& by, std::vector<std::string>& touched);

}  // namespace vcc

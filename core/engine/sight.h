// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/random.h"
#include "model/profile.h"
#include "plugin_host/driver.h"
#include "store/store.h"

/// What a look at a machine means for the records (architecture 3.6).
namespace vcc {

/// True when a list can show all that is waited for: the machine boots, or it is being taken away. Everything else
/// needs what only a point read gives: absence, or an answer that is younger than a request.
bool isListEnough(const Node& node, const Machine& machine);

/// True for a sight in a list that must be confirmed by a point read before anything follows from it: it is bad news,
/// or it lacks the address.
bool needsPointRead(const Node& node, const Machine& machine, const Observation& seen);

/// True for a node whose machine is asked for though nothing is under way: it is settled, is not in ERROR, and its
/// `watch_mode` is on.
bool isWatched(const Node& node, const Machine& machine);

/// True when a look at a watched node, or what is recorded of it, calls for a point read. `seen`: null = it showed
/// nothing.
bool isSuspect(const Node& node, const Machine& machine, const Observation* seen);

/// After a look that found a watched node's machine in trouble: when the second one is due, which makes it HOST_ERROR.
std::optional<std::int64_t> secondLookAt(const Node& node, const Machine& machine, const Profile& profile);

/// True when the last look at a watched node's machine found it in trouble.
bool isTroubled(const Node& node, const Machine& machine);

/// False when the sight says what is recorded already: there is nothing to store.
bool isNews(const Node& node, const Machine& machine, const Observation& seen);

/// Takes over a look, inside a transaction. `begun`: when it began; what happened later it cannot have seen.
Status recordSight(Tx& tx, Node node, Machine machine, const Observation& seen, std::int64_t begun,
                   const Profile& profile, Random& random);

}  // namespace vcc

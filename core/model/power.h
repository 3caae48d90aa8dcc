// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "model/profile.h"
#include "model/records.h"

/// Ops that switch machines off and on. A request whose answer is not known is repeated only after a look, and the
/// opposite is asked for only when what was asked for before has shown, or cannot take effect any more: a cloud takes
/// "on" for done already while a machine has not yet begun to go off. Pure.
namespace vcc {

inline bool isPower(OpVerb verb) { return verb == OpVerb::kPowerOff || verb == OpVerb::kPowerOn; }

/// True on the way up of a node whose machine goes off for its disks, or is off for them.
inline bool isOffForDisks(const Node& node) { return node.step == Step::kAttach || node.step == Step::kDiskOff; }

/// How long a node may take to switch its machine off.
inline constexpr std::int64_t kPowerOffMs = 600000;

/// True for a settled node whose machine was asked to go off by an earlier goal that nobody waits for any more
/// (`clear_processing`): the cloud may still do it, which is no failure.
inline bool isGoingOff(const Node& node) { return node.settled() && node.step == Step::kPowerOff; }

/// The step of a node whose machine is being switched so.
inline Step powerStep(OpVerb verb, const Node& node) {
  if (verb == OpVerb::kPowerOn) return Step::kPowerOn;
  return isOffForDisks(node) ? Step::kDiskOff : Step::kPowerOff;
}

/// True when the last look shows that the cloud is on it, or has done it.
bool showsPower(const Machine& machine, OpVerb verb);

/// True for an item that was sent and has no answer.
bool isUnansweredPower(const OpItem& item, const Op& op);

/// True when the item may be sent: it is due by what is known, or there was a look since it was sent last.
bool mayBeSwitched(const OpItem& item, const Op& op, const Machine& machine);

/// From this time on a request without an answer has no effect any more that a look would not show.
std::int64_t powerCertainAt(const Op& op, const Profile& profile);

/// True when the node still wants the machine switched so.
bool isPowerWanted(OpVerb verb, const Node& node, const Machine& machine);

}  // namespace vcc

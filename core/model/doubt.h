// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/status.h"
#include "model/profile.h"
#include "model/records.h"

/// Doubt: a request of a create was sent for a machine, and what became of it is not known. Kept per machine
/// (`Machine::doubt_at`, `doubt_parts`) and recorded before the request leaves, so that a process that dies needs
/// nothing more to be written. It ends with an answer, with a look that shows what was not known before, or with a look
/// that began so late that what it does not show never took effect. Pure.
namespace vcc {

inline bool inDoubt(const Machine& machine) { return machine.doubt_at > 0; }

/// Distinct ids that are recorded of the machine and its parts.
std::int64_t knownIds(const Machine& machine);

/// True when nothing is recorded that a cloud could hold for it.
bool leavesNothing(const Machine& machine);

/// A look that began at or after this time ends the doubt, whatever it shows.
std::int64_t certainAt(const Machine& machine, const Profile& profile);

/// A request is about to be sent. Returns whether an earlier one was in doubt already.
bool beginDoubt(Machine& machine, std::int64_t now);

/// Its answer: the state of the item, and for kFailed the outcome. A refusal of a request that was sent while another
/// one was in doubt says nothing about that one.
void answerDoubt(Machine& machine, ItemState state, Outcome outcome, bool was_in_doubt, std::int64_t now);

/// The process that could have heard the answer is no more: the request may be on its way since just now.
void renewDoubt(Machine& machine, std::int64_t now);

/// A point read that began at `begun` has been taken over into the machine.
void lookAtDoubt(Machine& machine, std::int64_t begun, const Profile& profile);

/// True when the create may be sent as far as this machine's doubt goes: there is none, or the cloud recognises a
/// repeat and one look after the request did not help.
bool mayBeSent(const Machine& machine, const Op& op, const Profile& profile, std::int64_t now);

/// True for an open item that was sent and of which nothing is known yet, or not for certain. Such items of an op share
/// one request: until its answer is known they are sent together, also those that nobody wants any more. Where the
/// cloud recognises a repeat this holds also for those that a look has shown meanwhile: it must be like the first one.
bool sharesRequest(const OpItem& item, const Machine& machine, const Profile& profile);

}  // namespace vcc

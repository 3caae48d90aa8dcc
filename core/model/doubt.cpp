// SPDX-License-Identifier: Apache-2.0
#include "model/doubt.h"

#include <set>
#include <string_view>

namespace vcc {

std::int64_t knownIds(const Machine& machine) {
  std::set<std::string_view> ids;  // a driver may name the machine itself among the parts
  if (!machine.cloud_id.empty()) ids.insert(machine.cloud_id);
  for (const Resource& part : machine.resources) ids.insert(part.id);
  return static_cast<std::int64_t>(ids.size());
}

bool leavesNothing(const Machine& machine) {
  return machine.cloud_id.empty() && machine.resources.empty() && machine.driver_state.empty();
}

std::int64_t certainAt(const Machine& machine, const Profile& profile) {
  return machine.doubt_at + profile.settle_ms + profile.lookup_lag_ms;
}

bool beginDoubt(Machine& machine, std::int64_t now) {
  if (inDoubt(machine)) return true;
  machine.doubt_at = now;
  machine.doubt_parts = knownIds(machine);
  return false;
}

void answerDoubt(Machine& machine, ItemState state, Outcome outcome, bool was_in_doubt, std::int64_t now) {
  const bool failed = state == ItemState::kFailed;
  if (failed && outcome != Outcome::kNotApplied) {
    machine.doubt_at = now;
  } else if (!failed || !was_in_doubt) {
    machine.doubt_at = 0;
  }
}

void renewDoubt(Machine& machine, std::int64_t now) {
  if (!inDoubt(machine)) return;
  machine.doubt_at = now;
  machine.absent_since = 0;
}

void lookAtDoubt(Machine& machine, std::int64_t begun, const Profile& profile) {
  if (!inDoubt(machine)) return;
  if (knownIds(machine) > machine.doubt_parts || begun >= certainAt(machine, profile)) machine.doubt_at = 0;
}

bool mayBeSent(const Machine& machine, const Op& op, const Profile& profile, std::int64_t now) {
  if (!inDoubt(machine)) return true;
  const bool recognised = profile.idempotent_token && now - op.first_sent_at < profile.token_ttl_ms;
  return recognised && machine.observed_at > machine.doubt_at;
}

bool sharesRequest(const OpItem& item, const Machine& machine, const Profile& profile) {
  const bool unanswered = item.state == ItemState::kOpen;
  if (machine.create_size == 0 || (!unanswered && item.state != ItemState::kPending)) return false;
  return inDoubt(machine) || leavesNothing(machine) || (unanswered && profile.idempotent_token);
}

}  // namespace vcc

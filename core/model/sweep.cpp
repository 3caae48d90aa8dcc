// SPDX-License-Identifier: Apache-2.0
#include "model/sweep.h"

#include <algorithm>
#include <string>

#include "model/plan.h"

namespace vcc {
namespace {

constexpr std::size_t kRandomDigits = 20;
constexpr std::int64_t kSweepsUnknown = 2;
/// Before a delete that the cloud accepted, and that does not end, is asked for again.
constexpr std::int64_t kPatienceMs = 60000;

/// What `provenGone` asks about.
bool isProvenGone(const Stray& stray, const Profile& profile) {
  Machine machine;
  machine.observed = stray.observed;
  machine.observed_at = stray.looked_at;
  machine.absent_since = stray.absent_since;
  return stray.looked_at >= stray.want_at && provenGone(machine, profile);
}

StrayAction lookAt(std::int64_t due, std::int64_t now) {
  return now >= due ? StrayAction{StrayStep::kLook} : StrayAction{StrayStep::kWait, due};
}

}  // namespace

bool isMintedName(std::string_view name, std::string_view vcc_id) {
  const std::string prefix = "vcp-" + std::string(vcc_id.substr(0, 8)) + "-";
  if (!name.starts_with(prefix) || name.size() != prefix.size() + kRandomDigits) return false;
  return std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool isRipe(const Stray& stray, const SweepRules& rules, std::string_view vcc_id, std::int64_t now) {
  return rules.may_delete && stray.left.empty() && stray.fault.text.empty() && isMintedName(stray.name, vcc_id) &&
         stray.sweeps >= kSweepsUnknown && now - stray.first_seen_at >= rules.grace_ms;
}

std::int64_t quietAfter(std::int64_t since, const Profile& profile) {
  return since + profile.settle_ms + profile.lookup_lag_ms;
}

StrayAction planStray(const Stray& stray, const Profile& profile, std::int64_t now) {
  if (stray.want_by.empty()) return {};
  if (stray.next_at > now) return {StrayStep::kWait, stray.next_at};
  if (isProvenGone(stray, profile)) return {StrayStep::kForget};
  if (stray.absent_since > 0) {
    return lookAt(std::max(stray.looked_at + 200, stray.absent_since + profile.lookup_lag_ms), now);
  }
  if (stray.verified_at < stray.want_at) return {StrayStep::kLookByName};
  if (stray.accepted_at == 0) return {StrayStep::kDestroy};
  if (stray.looked_at >= stray.accepted_at + kPatienceMs) return {StrayStep::kDestroy};
  return lookAt(std::max(stray.looked_at, stray.accepted_at) + observeIntervalMs(now - stray.accepted_at), now);
}

}  // namespace vcc

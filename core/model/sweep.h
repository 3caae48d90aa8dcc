// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "model/profile.h"
#include "model/records.h"

/// The decisions of the sweep (architecture 10): which objects of a cloud are ours and unknown, when one may be deleted
/// unasked, and what its deletion does next. Pure.
namespace vcc {

/// True for a name that this controller mints: `vcp-<first 8 digits of the vcc id>-<20 hex>`.
bool isMintedName(std::string_view name, std::string_view vcc_id);

/// What the sweep may do by itself.
struct SweepRules {
  bool may_delete = false;    ///< option `sweep_delete`
  std::int64_t grace_ms = 0;  ///< how long an object must have been unknown
};

/// True when the sweep may delete the object unasked, as far as the object goes: found by the sweep and not left by a
/// purge, of a name of ours, unknown in two complete lists and for the grace time. One whose deletion was given up
/// needs an administrator.
bool isRipe(const Stray& stray, const SweepRules& rules, std::string_view vcc_id, std::int64_t now);

/// No request of the time before `since` can take effect or be missing from a list that begins at or after this.
std::int64_t quietAfter(std::int64_t since, const Profile& profile);

enum class StrayStep : std::uint8_t {
  kNone,        ///< nobody wants it deleted
  kWait,        ///< nothing until `at`
  kLookByName,  ///< does its name lead to it?
  kLook,        ///< point read by id
  kDestroy,     ///< send its destroy, or send it again
  kForget,      ///< it is proven gone
};

struct StrayAction {
  StrayStep step = StrayStep::kNone;
  std::int64_t at = 0;  ///< kWait
};

/// The next step of the deletion at wall time `now`.
StrayAction planStray(const Stray& stray, const Profile& profile, std::int64_t now);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "engine/sweep_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "engine/lifecycle.h"
#include "secrets/grants.h"

namespace vcc {
namespace {

constexpr char kGone[] = "gone";

std::string labelOf(const Stray& stray) {
  return fmt::format("cloud object {}", cleanUtf8(stray.name.empty() ? stray.cloud_id : stray.name, 200));
}

std::string_view standingOf(const Stray& stray) {
  if (!stray.want_by.empty()) return "deleting";
  return stray.left.empty() ? "unknown" : "left in the cloud";
}

Status strayEvent(Tx& tx, const Stray& stray, std::string_view from, std::string_view to, const std::string& reason) {
  return recordEvent(tx, {.vcid = {},
                          .object = labelOf(stray),
                          .object_id = stray.stray_id,
                          .from = std::string(from),
                          .to = std::string(to),
                          .reason = reason,
                          .op_id = stray.op_id});
}

bool isSame(const Stray& stray, const Observation& seen) {
  if (!stray.cloud_id.empty() && !seen.cloud_id.empty()) return stray.cloud_id == seen.cloud_id;
  return !stray.name.empty() && stray.name == seen.name;
}

/// Takes over what a list showed.
void learn(Stray& stray, const Observation& seen, const Sighting& sighting) {
  if (!seen.name.empty()) stray.name = seen.name;
  if (!seen.cloud_id.empty()) stray.cloud_id = seen.cloud_id;
  if (!seen.address.empty()) stray.address = seen.address;
  if (!seen.create_op.empty()) {
    stray.create_op = seen.create_op;
    stray.create_index = seen.create_index;
  }
  stray.observed = seen.state;
  mergeResources(stray.resources, seen.resources);
  if (sighting.complete && sighting.begun > stray.last_seen_at) stray.sweeps += 1;
  stray.last_seen_at = std::max(stray.last_seen_at, sighting.begun);
}

std::vector<Stray> straysOf(Tx& tx, const std::string& instance) {
  std::vector<Stray> strays;
  tx.strays().scan([&](const Stray& stray) {
    if (stray.instance == instance) strays.push_back(stray);
    return true;
  });
  return strays;
}

Stray discover(Random& random, const SweepPlace& place, const Observation& seen, const Sighting& sighting) {
  Stray stray;
  stray.stray_id = newId(random);
  stray.scope = place.scope;
  stray.grant_id = place.grant_id;
  stray.instance = place.instance;
  stray.first_seen_at = sighting.begun;
  learn(stray, seen, sighting);
  return stray;
}

bool isInUse(Tx& tx, const SweepPlace& place) {
  bool used = false;
  tx.machines().scan("grant_id", place.grant_id, [&](const Machine& machine) {
    used = machine.scope == place.scope;
    return !used;
  });
  return used;
}

/// The list says no more of it. A purge may have left something that was still to appear.
Status loseSight(Tx& tx, const Stray& stray, const Sighting& sighting) {
  if (!stray.want_by.empty()) return okStatus();  // only point reads prove that it is gone
  if (sighting.begun < quietAfter(stray.first_seen_at, sighting.profile)) return okStatus();
  return forgetStray(tx, stray, kGone, "a complete list no longer shows it, or a record knows it");
}

}  // namespace

Status notePlace(Tx& tx, SweepPlace place) {
  if (const SweepPlace* present = tx.sweepPlaces().find(Schema<SweepPlace>::key(place))) place = *present;
  place.used_at = tx.now();
  return tx.sweepPlaces().put(std::move(place));
}

Status touchPlace(Tx& tx, const Machine& machine) {
  const SweepPlace* present = tx.sweepPlaces().find(placeKey(machine));
  return present ? notePlace(tx, *present) : okStatus();
}

Status leaveBehind(Tx& tx, Random& random, const Machine& machine, std::string what) {
  if (!tx.sweepPlaces().find(placeKey(machine))) return okStatus();
  Stray stray;
  stray.stray_id = newId(random);
  stray.scope = machine.scope;
  stray.grant_id = machine.grant_id;
  stray.instance = machine.instance;
  stray.name = machine.name;
  stray.cloud_id = machine.cloud_id;
  stray.address = machine.address;
  stray.create_op = machine.create_op;
  stray.create_index = machine.item_index;
  stray.resources = machine.resources;
  stray.driver_state = machine.driver_state;
  stray.observed = machine.observed;
  stray.first_seen_at = tx.now();
  stray.left = std::move(what);
  return tx.strays().put(std::move(stray));
}

void dropPlace(Tx& tx, const std::string& key) {
  const SweepPlace* place = tx.sweepPlaces().find(key);
  if (!place) return;
  const std::string grant_id = place->grant_id;
  tx.sweepPlaces().erase(key);
  dropGrantIfUnused(tx, grant_id);
}

Status forgetStray(Tx& tx, const Stray& stray, std::string_view to, const std::string& reason) {
  VCC_RETURN_IF_ERROR(strayEvent(tx, stray, standingOf(stray), to, reason));
  tx.strays().erase(std::string(stray.stray_id));
  return okStatus();
}

Status setWanted(Tx& tx, Stray stray, const std::string& by, const std::string& reason) {
  const std::string from(standingOf(stray));
  stray.want_by = by;
  stray.want_at = by.empty() ? 0 : tx.now();
  stray.verified_at = stray.absent_since = stray.accepted_at = stray.sent_at = stray.attempts = stray.next_at = 0;
  stray.op_id.clear();
  if (!by.empty()) stray.fault = {};
  VCC_RETURN_IF_ERROR(strayEvent(tx, stray, from, standingOf(stray), reason));
  return tx.strays().put(std::move(stray));
}

Status askStrayDeletion(Store& store, const std::string& vcc_id, const std::string& stray_id, const std::string& name,
                        const std::string& by) {
  return store.transact([&](Tx& tx) -> Status {
    const Stray* stray = tx.strays().find(stray_id);
    if (!stray) {
      return notFound(
          fmt::format("cloud object {} is not on record; `vcc sweep` lists those that are", cleanUtf8(stray_id, 64)));
    }
    if (name != stray->name) {
      return invalidArgument(
          fmt::format("name: cloud object {} is named {}, not {}; give its name to confirm that it is "
                      "the one to delete",
                      stray_id, cleanUtf8(stray->name, 100), cleanUtf8(name, 100)));
    }
    if (!isMintedName(name, vcc_id)) {
      return failedPrecondition(
          fmt::format("cloud object {}: its name {} is none that this controller gives, so it is "
                      "never deleted from here; remove it in the cloud's console",
                      stray_id, cleanUtf8(name, 100)));
    }
    return stray->want_by.empty() ? setWanted(tx, *stray, by, "asked for by " + by) : okStatus();
  });
}

Observation sightOf(const Stray& stray) {
  Observation seen;
  seen.found = true;
  seen.name = stray.name;
  seen.cloud_id = stray.cloud_id;
  seen.create_op = stray.create_op;
  seen.create_index = stray.create_index;
  return seen;
}

Status recordSighting(Tx& tx, Random& random, const Sighting& sighting, SweepOutcome& outcome) {
  outcome = {};
  const SweepPlace* home = nullptr;
  for (const std::string& key : sighting.places) {
    const SweepPlace* present = tx.sweepPlaces().find(key);
    if (!present) continue;
    SweepPlace place = *present;
    place.tried_at = sighting.begun;
    if (sighting.complete) place.swept_at = sighting.begun;
    place.fault = sighting.complete ? Fault{} : Fault{tx.now(), sighting.fault};
    VCC_RETURN_IF_ERROR(tx.sweepPlaces().put(std::move(place)));
    if (!home) home = tx.sweepPlaces().find(key);
  }
  if (!home) return okStatus();  // the last of them went meanwhile

  std::vector<Stray> strays = straysOf(tx, sighting.instance);
  std::set<std::string> shown;
  for (const Observation& seen : unknownOf(tx, sighting.instance, sighting.unknown)) {
    if (seen.state == MachineState::kGone) continue;
    const auto known = std::find_if(strays.begin(), strays.end(), [&](const Stray& s) { return isSame(s, seen); });
    if (known == strays.end()) {
      Stray stray = discover(random, *home, seen, sighting);
      VCC_RETURN_IF_ERROR(strayEvent(tx, stray, "", standingOf(stray), "the sweep found it, and no record knows it"));
      outcome.fresh.push_back(stray);
      VCC_RETURN_IF_ERROR(tx.strays().put(std::move(stray)));
      continue;
    }
    shown.insert(known->stray_id);
    learn(*known, seen, sighting);
    if (known->want_by.empty() && sighting.complete &&
        isRipe(*known, sighting.rules, sighting.vcc_id, sighting.begun)) {
      outcome.to_delete.push_back(known->stray_id);
      VCC_RETURN_IF_ERROR(setWanted(tx, *known, "sweep", "unknown for long enough (sweep_delete)"));
    } else {
      VCC_RETURN_IF_ERROR(tx.strays().put(*known));
    }
  }
  if (!sighting.complete) return okStatus();

  for (const std::string& key : sighting.places) {
    for (const Stray& stray : strays) {
      if (joinKey(stray.scope, stray.grant_id) != key || shown.contains(stray.stray_id)) continue;
      VCC_RETURN_IF_ERROR(loseSight(tx, stray, sighting));
    }
    const SweepPlace* place = tx.sweepPlaces().find(key);
    if (!place || sighting.begun < quietAfter(place->used_at, sighting.profile)) continue;
    if (isInUse(tx, *place) || hasStrays(tx, key)) continue;
    outcome.wiped_places.push_back(key);
    dropPlace(tx, key);
  }
  return okStatus();
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "model/sweep.h"
#include "plugin_host/driver.h"
#include "store/schema.h"
#include "store/store.h"

/// What the sweep makes of the records (architecture 10). All run inside a transaction and do no I/O.
namespace vcc {

/// The key of the place that the machine was asked for in.
inline std::string placeKey(const Machine& machine) { return joinKey(machine.scope, machine.grant_id); }

/// Machines are asked for in `place`: from now on it is swept, and its grant stays, until a clean list came after the
/// last of them.
Status notePlace(Tx& tx, SweepPlace place);

/// A machine went. Nothing when its place is not swept.
Status touchPlace(Tx& tx, const Machine& machine);

/// The machine's record goes while it may still exist: kept as a stray that was left on purpose, so that the sweep
/// knows what it sees. Nothing when its place is not swept.
Status leaveBehind(Tx& tx, Random& random, const Machine& machine, std::string what);

/// Erases a place that needs no sweep any more, and its grant when nothing else points at it.
void dropPlace(Tx& tx, const std::string& key);

/// Erases a stray, with an event that says why.
Status forgetStray(Tx& tx, const Stray& stray, std::string_view to, const std::string& reason);

/// Puts a stray whose deletion begins or ends, with its event.
Status setWanted(Tx& tx, Stray stray, const std::string& by, const std::string& reason);

/// An administrator (`by`) wants the stray deleted, and confirms that by its name. kNotFound; kInvalidArgument for
/// another name; kFailedPrecondition for an object whose name this controller did not mint.
Status askStrayDeletion(Store& store, const std::string& vcc_id, const std::string& stray_id, const std::string& name,
                        const std::string& by);

/// What a list showed of one account.
struct Sighting {
  std::vector<std::string> places;  ///< keys of the account's places; what is new goes with the first that there is
  std::int64_t begun = 0;           ///< when the list began
  bool complete = false;
  std::string fault;  ///< why not
  std::string instance;
  std::string network;
  Profile profile;
  SweepRules rules;  ///< may_delete only while every guard outside the records holds
  std::string vcc_id;
  std::vector<Observation> unknown;  ///< what it showed and no record knew
};

/// What `recordSighting` did.
struct SweepOutcome {
  std::vector<Stray> fresh;               ///< found just now
  std::vector<std::string> to_delete;     ///< ids of strays that are to go
  std::vector<std::string> wiped_places;  ///< whose last list was clean
};

/// Takes a list over into the records: strays found, seen again and gone, places swept and done with.
Status recordSighting(Tx& tx, Random& random, const Sighting& sighting, SweepOutcome& outcome);

/// True when a stray was seen in the place.
template <typename AnyTx>
bool hasStrays(AnyTx& tx, const std::string& place) {
  bool any = false;
  tx.strays().scan("place", place, [&](const Stray&) {
    any = true;
    return false;
  });
  return any;
}

/// The stray as a list would show it.
Observation sightOf(const Stray& stray);

/// Those of `seen` that no record of `instance` can account for: no machine has the name, the id or the place in a
/// create, and no create of theirs is under way. `AnyTx` is Tx or ReadTx.
template <typename AnyTx>
std::vector<Observation> unknownOf(AnyTx& tx, const std::string& instance, const std::vector<Observation>& seen) {
  using Positions = std::unordered_map<std::string_view, std::vector<std::size_t>>;
  Positions by_name;
  Positions by_id;
  Positions by_create;
  std::vector<bool> known(seen.size(), false);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i].name.empty()) by_name[seen[i].name].push_back(i);
    if (!seen[i].cloud_id.empty()) by_id[seen[i].cloud_id].push_back(i);
    if (!seen[i].create_op.empty()) by_create[seen[i].create_op].push_back(i);
    known[i] = !seen[i].create_op.empty() && tx.ops().find(seen[i].create_op) != nullptr;
  }
  const auto mark = [&](const Positions& positions, std::string_view key, auto&& fits) {
    const auto found = key.empty() ? positions.end() : positions.find(key);
    if (found == positions.end()) return;
    for (const std::size_t i : found->second) known[i] = known[i] || fits(seen[i]);
  };
  tx.machines().scan([&](const Machine& machine) {
    const auto always = [](const Observation&) { return true; };
    mark(by_name, machine.name, always);
    if (machine.instance == instance) mark(by_id, machine.cloud_id, always);
    mark(by_create, machine.create_op, [&](const Observation& o) { return o.create_index == machine.item_index; });
    return true;
  });
  std::vector<Observation> unknown;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!known[i]) unknown.push_back(seen[i]);
  }
  return unknown;
}

}  // namespace vcc

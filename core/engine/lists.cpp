// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "engine/decider.h"
#include "engine/sight.h"
#include "store/record_times.h"

/// Looks at all machines of an account in one call. A list shows presence, and good news only: what it does not show,
/// or shows to be in trouble, is looked at by a point read (architecture 3.6).
namespace vcc {

namespace {

constexpr std::int64_t kListDeadlineMs = 60000;
constexpr std::int64_t kShortestListPauseMs = 500;
/// The pause after a list is so many times what that took, as long as nobody waits for a machine much longer for it.
constexpr std::int64_t kListPauses = 3;
constexpr std::int64_t kLongestListPauseMs = 3000;
/// How long a machine may be missing from lists, at least, before a point read asks for it.
constexpr std::int64_t kListPatienceMs = 5000;
constexpr std::size_t kMostListed = 100000;

/// Lists of an account take at most half of the time, however many machines it has.
std::int64_t pauseAfter(std::int64_t list_took_ms) {
  const std::int64_t polite = std::clamp(kListPauses * list_took_ms, kShortestListPauseMs, kLongestListPauseMs);
  return std::max(polite, list_took_ms);
}

}  // namespace

Sightings::Sightings(const std::vector<Observation>& listed) {
  for (const Observation& seen : listed) {
    if (!seen.found) continue;
    if (!seen.cloud_id.empty()) add("id " + seen.cloud_id, seen);
    if (!seen.name.empty()) add("name " + seen.name, seen);
    if (!seen.create_op.empty()) add(itemKey(seen.create_op, seen.create_index), seen);
  }
}

std::string Sightings::itemKey(const std::string& op, std::int64_t index) {
  return "item " + op + " " + std::to_string(index);
}

void Sightings::add(std::string key, const Observation& seen) {
  const auto [entry, fresh] = by_key_.emplace(std::move(key), &seen);
  if (!fresh) entry->second = nullptr;
}

const Observation* Sightings::of(const Machine& machine) const {
  const auto find = [&](const std::string& key) {
    const auto entry = by_key_.find(key);
    return entry == by_key_.end() ? nullptr : entry->second;
  };
  if (!machine.cloud_id.empty()) return find("id " + machine.cloud_id);
  if (const Observation* named = find("name " + machine.name)) return named;
  return find(itemKey(machine.create_op, machine.item_index));
}

void Decider::beginList(const std::string& account, const Visit& sample,
                        std::function<void(const ListAnswer&, std::int64_t begun)> then) {
  const DriverSlot& slot = *sample.slot;
  queueCall(slot, account, "", CallQueue::Kind::kLook, [this, account, sample, &slot, then = std::move(then)] {
    auto answer = std::make_shared<ListAnswer>();
    runOn(
        *poolOf(slot).executor,
        [answer, &clock = seams_.clock, context = callContext(sample, kListDeadlineMs), driver = slot.driver] {
          const std::int64_t begun = clock.monoMs();
          bool complete = false;
          answer->error = context.ok() ? driver->list(
                                             *context,
                                             [&](const Observation& seen) {
                                               if (answer->seen.size() < kMostListed) answer->seen.push_back(seen);
                                             },
                                             &complete)
                                       : context.status();
          answer->complete = complete;
          answer->took_ms = clock.monoMs() - begun;
        },
        [this, account, sample, answer, &slot, then, begun = seams_.clock.monoMs()] {
          leaveDriver(slot, account);
          heed(sample, answer->error, CallKind::kExisting);
          then(*answer, begun);
        });
  });
}

void Decider::takeList(const std::string& account, const Visit& sample, const std::vector<std::string>& node_ids,
                       const ListAnswer& answer, std::int64_t begun) {
  Account& asked = accounts_[account];
  asked.listing = false;
  const std::int64_t mono = seams_.clock.monoMs();
  if (!answer.error.ok()) {
    asked.lists_failed += 1;
    asked.list_at = mono + retryAfter(answer.error, CallKind::kExisting, asked.lists_failed, seams_.random).after_ms;
    return revisit(node_ids);  // point reads go on
  }
  asked.lists_failed = 0;
  asked.list_at = mono + pauseAfter(answer.took_ms);

  const Sightings listed(answer.seen);
  const std::int64_t patience = std::max(sample.profile.lookup_lag_ms, kListPatienceMs);
  std::vector<std::string> unsure;
  auto news = std::make_shared<std::vector<std::pair<std::string, Observation>>>();
  std::vector<std::string> fresh;
  seams_.store.read([&](const ReadTx& tx) {
    for (const std::string& id : node_ids) {
      const Node* node = tx.nodes().find(id);
      const Machine* machine = node && !busy_.contains(id) ? tx.machines().find(node->machine_id) : nullptr;
      if (!machine || !isListEnough(*node, *machine)) {
        schedule(id, 0);
        continue;
      }
      const Observation* seen = listed.of(*machine);
      if (seen) unlisted_at_.erase(machine->machine_id);
      if (!seen && node->step != Step::kVerify) {
        const std::int64_t since = unlisted_at_.try_emplace(machine->machine_id, mono).first->second;
        if (mono - since < patience) {
          schedule(id, kShortestListPauseMs);
          continue;
        }
        unlisted_at_.erase(machine->machine_id);
      }
      if (!seen || needsPointRead(*node, *machine, *seen)) {
        unsure.push_back(id);
      } else if (isNews(*node, *machine, *seen)) {
        fresh.push_back(id);
        news->emplace_back(id, *seen);
      } else {
        sightings_[machine->machine_id] = begun;
        schedule(id, 0);
      }
    }
  });
  for (const std::string& id : unsure) {
    if (const auto visit = look(id); visit.ok() && visit->machine) {
      wantPointRead(*visit);
    } else {
      schedule(id, 0);
    }
  }
  if (fresh.empty()) return;
  commit(fresh, [this, news, begun, profile = sample.profile](Tx& tx) -> Status {
    const std::int64_t at = timeIn(tx, seams_.clock, begun);
    for (const auto& [id, seen] : *news) {
      const Node* node = tx.nodes().find(id);
      const Machine* machine = node ? tx.machines().find(node->machine_id) : nullptr;
      if (!machine || !isListEnough(*node, *machine)) continue;
      VCC_RETURN_IF_ERROR(recordSight(tx, *node, *machine, seen, at, profile, seams_.random));
    }
    return okStatus();
  });
}

}  // namespace vcc

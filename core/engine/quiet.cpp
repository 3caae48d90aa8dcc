// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/decider.h"
#include "engine/sight.h"

/// Settled nodes: asked for rarely, account by account. What has happened to a machine is reported, not repaired
/// (architecture 3.9).
namespace vcc {

namespace {

constexpr std::int64_t kQuietDeadlineMs = 60000;

std::int64_t randomBelow(Random& random, std::int64_t limit) {
  std::array<std::uint8_t, 7> bytes{};
  random.fill(bytes);
  std::int64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number % std::max<std::int64_t>(limit, 1);
}

}  // namespace

void Decider::planQuietRound() {
  std::map<std::string, std::vector<std::string>> accounts;
  seams_.store.read([&](const ReadTx& tx) {
    tx.nodes().scan([&](const Node& node) {
      const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
      if (machine && isWatched(node, *machine)) accounts[machine->scope + machine->grant_id].push_back(node.node_id);
      return true;
    });
    // What was noted of machines that are under way no more.
    const auto idle = [&tx](const auto& entry) {
      const Machine* machine = tx.machines().find(entry.first);
      const Node* node = machine ? tx.nodes().find(machine->node_id) : nullptr;
      return !node || node->settled();
    };
    std::erase_if(sightings_, idle);
    std::erase_if(unlisted_at_, idle);
    std::erase_if(waiting_, [&tx](const auto& entry) { return tx.nodes().find(entry.first) == nullptr; });
    std::set<std::string> conditions;
    for (const auto& [node_id, key] : waiting_) conditions.insert(key);
    tx.machines().scan([&](const Machine& machine) {
      const Grant* grant = tx.grants().find(machine.grant_id);
      conditions.insert(accountOf(machine, grant ? grant->fingerprint : std::string()));
      return true;
    });
    conditions_.keep(conditions);
  });
  // Spread over the whole time, so that not all accounts of a cloud are asked for at once.
  for (auto& [name, node_ids] : accounts) {
    later(randomBelow(seams_.random, options_.quiet_poll_ms),
          [this, node_ids = std::move(node_ids)] { lookAround(node_ids); });
  }
  later(options_.quiet_poll_ms, [this] { planQuietRound(); });
}

void Decider::lookAround(const std::vector<std::string>& node_ids) {
  const auto asked = std::ranges::find_if(node_ids, [&](const std::string& id) { return !busy_.contains(id); });
  if (asked == node_ids.end()) return;
  const auto sample = look(*asked);
  if (!sample.ok()) return noteWaiting(*asked, sample.status());
  endWaiting(*asked);
  if (!sample->machine || sample->profile.asserted) return;
  const std::string name = sample->account();
  if (!sample->slot->driver->info().can_list || accounts_[name].lists_failed > 0) {
    return lookAroundByPointReads(*sample, node_ids, 0);
  }
  beginList(name, *sample, [this, sample = *sample, node_ids](const ListAnswer& answer, std::int64_t /*begun*/) {
    if (!answer.error.ok()) return lookAroundByPointReads(sample, node_ids, 0);
    const Sightings listed(answer.seen);
    lookAtSuspects(node_ids, [&](const Machine& machine) { return listed.of(machine); });
  });
}

void Decider::lookAroundByPointReads(const Visit& sample, const std::vector<std::string>& node_ids, std::size_t first) {
  if (first >= node_ids.size()) return;
  queueCall(*sample.slot, sample.account(), "", CallQueue::Kind::kLook,
            [this, sample, node_ids, first] { beginQuietReads(sample, node_ids, first); });
}

void Decider::beginQuietReads(const Visit& sample, const std::vector<std::string>& node_ids, std::size_t first) {
  const DriverSlot& slot = *sample.slot;
  const std::size_t most = std::max<std::size_t>(slot.driver->info().max_observe, 1);
  std::vector<MachineRef> refs;
  std::vector<std::string> asked;  // machines
  std::vector<std::string> nodes;  // theirs; nothing else begins with them meanwhile
  seams_.store.read([&](const ReadTx& tx) {
    for (; first < node_ids.size() && refs.size() < most; ++first) {
      const Node* node = tx.nodes().find(node_ids[first]);
      const Machine* machine = node && !busy_.contains(node->node_id) ? tx.machines().find(node->machine_id) : nullptr;
      if (!machine || !isWatched(*node, *machine)) continue;
      refs.push_back(refOf(*machine, refs.size()));
      asked.push_back(machine->machine_id);
      nodes.push_back(node->node_id);
    }
  });
  const std::string account = sample.account();
  if (refs.empty()) return leaveDriver(slot, account);
  busy_.insert(nodes.begin(), nodes.end());
  auto seen = std::make_shared<std::vector<Observation>>();
  runOn(
      *poolOf(slot).executor,
      [seen, refs, context = callContext(sample, kQuietDeadlineMs), driver = slot.driver] {
        if (!context.ok()) {
          seen->assign(refs.size(), {.error = context.status()});
        } else {
          *seen = driver->observe(*context, refs);
        }
      },
      [this, sample, &slot, account, node_ids, first, asked, nodes, seen] {
        leaveDriver(slot, account);
        release(nodes);
        std::map<std::string, const Observation*> by_machine;
        Status error;
        for (std::size_t i = 0; i < std::min(asked.size(), seen->size()); ++i) {
          const Observation& one = (*seen)[i];
          if (one.error.ok()) {
            by_machine[asked[i]] = one.found ? &one : nullptr;
          } else if (error.ok()) {
            error = one.error;
          }
        }
        heed(sample, error, CallKind::kExisting);
        std::vector<std::string> looked;
        seams_.store.read([&](const ReadTx& tx) {
          for (const std::string& id : asked) {
            const Machine* machine = by_machine.contains(id) ? tx.machines().find(id) : nullptr;
            if (machine) looked.push_back(machine->node_id);
          }
        });
        lookAtSuspects(looked, [&](const Machine& machine) { return by_machine[machine.machine_id]; });
        if (error.ok()) lookAroundByPointReads(sample, node_ids, first);
      });
}

void Decider::lookAtSuspects(const std::vector<std::string>& node_ids,
                             const std::function<const Observation*(const Machine&)>& sightOf) {
  std::vector<std::string> suspects;
  seams_.store.read([&](const ReadTx& tx) {
    for (const std::string& id : node_ids) {
      const Node* node = tx.nodes().find(id);
      const Machine* machine = node && !busy_.contains(id) ? tx.machines().find(node->machine_id) : nullptr;
      if (machine && isWatched(*node, *machine) && isSuspect(*node, *machine, sightOf(*machine))) {
        suspects.push_back(id);
      }
    }
  });
  for (const std::string& id : suspects) {
    if (const auto visit = look(id); visit.ok() && visit->machine) wantPointRead(*visit);
  }
}

void Decider::lookAgain(const Visit& visit) {
  if (!visit.machine || visit.profile.asserted || !isWatched(visit.node, *visit.machine)) return;
  const auto due = secondLookAt(visit.node, *visit.machine, visit.profile);
  if (!due) return;
  if (visit.now >= *due) return wantPointRead(visit);
  schedule(visit.node.node_id, *due - visit.now);
}

}  // namespace vcc

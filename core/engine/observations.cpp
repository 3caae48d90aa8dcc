// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/decider.h"
#include "engine/sight.h"
#include "engine/transitions.h"
#include "model/power.h"
#include "store/record_times.h"

/// Point reads, gathered by account: while one call is under way the next ones wait and go together (architecture 3.6).
namespace vcc {

namespace {

constexpr std::int64_t kObserveDeadlineMs = 60000;

/// A settled machine that could not be looked at a second time is not urgent.
constexpr std::int64_t kBlindPauses = 6;

Status unanswered() { return {Code::kUnknown, "the driver said nothing about the machine"}; }

/// What a look without an answer leads to: the machine's record stays as it is, the node is visited later.
Status recordBlindLook(Tx& tx, Node node, const Machine& machine, const Status& error, Random& random) {
  const bool waits = !node.settled() || node.goal == Goal::kGone || machine.want_destroy || !machine.open_op.empty() ||
                     isGoingOff(node);
  if (!waits) return okStatus();  // it was a hint that asked
  const std::string_view attempted =
      machine.kind == UnitKind::kStorage ? "looking at the disk" : "looking at the machine";
  return recordFailure(tx, std::move(node), {attempted, error, CallKind::kExisting, false}, random);
}

}  // namespace

void Decider::wantObservation(const Visit& visit) {
  Account& account = accounts_[visit.account()];
  const bool lists = visit.slot->driver->info().can_list && visit.unit.kind == UnitKind::kCompute &&
                     (account.lists_failed == 0 || account.list_at <= seams_.clock.monoMs());
  if (!lists || !isListEnough(visit.node, *visit.machine)) return wantPointRead(visit);
  if (!account.list_sample) account.list_sample = visit;
  account.to_list.insert(visit.node.node_id);
}

void Decider::wantPointRead(const Visit& visit) {
  busy_.insert(visit.node.node_id);
  accounts_[visit.account()].to_look.push_back(visit);
}

std::optional<std::int64_t> Decider::flushObservations() {
  const std::int64_t now = seams_.clock.monoMs();
  std::optional<std::int64_t> next;
  std::erase_if(accounts_, [now](const auto& entry) { return entry.second.idle() && entry.second.list_at <= now; });
  for (auto& [name, account] : accounts_) {
    if (!account.to_list.empty() && !account.listing) {
      if (account.list_at <= now) {
        account.listing = true;
        const std::vector<std::string> ids(account.to_list.begin(), account.to_list.end());
        account.to_list.clear();
        const Visit sample = *std::exchange(account.list_sample, std::nullopt);
        beginList(name, sample, [this, name = name, sample, ids](const ListAnswer& answer, std::int64_t begun) {
          takeList(name, sample, ids, answer, begun);
        });
      } else {
        next = std::min(next.value_or(account.list_at), account.list_at);
      }
    }
    if (!account.to_look.empty() && !account.looking) {
      account.looking = true;
      const std::size_t most = std::max<std::size_t>(account.to_look.front().slot->driver->info().max_observe, 1);
      const auto end =
          account.to_look.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(account.to_look.size(), most));
      std::vector<Visit> looked(std::make_move_iterator(account.to_look.begin()), std::make_move_iterator(end));
      account.to_look.erase(account.to_look.begin(), end);
      beginPointReads(name, std::move(looked));
    }
  }
  return next;
}

void Decider::beginPointReads(const std::string& account, std::vector<Visit> looked) {
  const DriverSlot& slot = *looked.front().slot;
  queueCall(slot, account, "", CallQueue::Kind::kLook, [this, account, &slot, looked = std::move(looked)] {
    std::vector<MachineRef> refs;
    for (const Visit& visit : looked) refs.push_back(refOf(*visit.machine, refs.size()));
    auto seen = std::make_shared<std::vector<Observation>>();
    runOn(
        *poolOf(slot).executor,
        [seen, refs, context = callContext(looked.front(), kObserveDeadlineMs), driver = slot.driver] {
          if (!context.ok()) {
            seen->assign(refs.size(), {.error = context.status()});
          } else {
            *seen = driver->observe(*context, refs);
          }
        },
        [this, account, &slot, seen, looked, begun = seams_.clock.monoMs()] {
          leaveDriver(slot, account);
          accounts_[account].looking = false;
          recordObservations(looked, *seen, begun);
        });
  });
}

void Decider::recordObservations(const std::vector<Visit>& looked, const std::vector<Observation>& seen,
                                 std::int64_t begun) {
  std::vector<std::string> known;  // nothing new of them
  std::vector<std::string> node_ids;
  std::vector<std::string> blind;  // settled: an error is none of theirs
  Status error;
  std::vector<std::size_t> news;
  seams_.store.read([&](const ReadTx& tx) {
    for (std::size_t i = 0; i < looked.size(); ++i) {
      const std::string& id = looked[i].node.node_id;
      const Node* node = tx.nodes().find(id);
      const Machine* machine = tx.machines().find(looked[i].machine->machine_id);
      const bool answered = i < seen.size() && seen[i].error.ok();
      if (!answered) error = i < seen.size() ? seen[i].error : unanswered();
      if (node && machine && answered && !isNews(*node, *machine, seen[i])) {
        sightings_[machine->machine_id] = begun;
        known.push_back(id);
      } else if (node && machine && !answered && isWatched(*node, *machine)) {
        blind.push_back(id);
      } else {
        news.push_back(i);
        node_ids.push_back(id);
      }
    }
  });
  heed(looked.front(), error, CallKind::kExisting);
  release(known);
  revisit(known);
  release(blind);
  for (const std::string& id : blind) {
    schedule(id, retryAfter(error, CallKind::kExisting, kBlindPauses, seams_.random).after_ms);
  }
  if (news.empty()) return;
  commit(node_ids, [this, news, looked, seen, begun](Tx& tx) -> Status {
    const std::int64_t at = timeIn(tx, seams_.clock, begun);
    for (const std::size_t i : news) {
      const Node* node = tx.nodes().find(looked[i].node.node_id);
      const Machine* machine = tx.machines().find(looked[i].machine->machine_id);
      if (!node || !machine) continue;
      const Status failure = i < seen.size() ? seen[i].error : unanswered();
      VCC_RETURN_IF_ERROR(failure.ok() ? recordSight(tx, *node, *machine, seen[i], at, looked[i].profile, seams_.random)
                                       : recordBlindLook(tx, *node, *machine, failure, seams_.random));
    }
    return okStatus();
  });
}

}  // namespace vcc

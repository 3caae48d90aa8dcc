// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "engine/decider.h"

/// Visits to hosts: a bounded set of threads, in turn by user and by unit, so that nobody waits for the slow hosts of
/// somebody else. A node that waits for its turn is not busy: what it does in it is decided then.
namespace vcc {

namespace {

/// The turn of a node revisits it; before that, it may run out of time.
constexpr std::int64_t kHostQueuedPauseMs = 5000;

}  // namespace

void Decider::wantHost(const Visit& visit) {
  const std::string& id = visit.node.node_id;
  schedule(id, kHostQueuedPauseMs);
  if (!host_turns_.insert(id).second) return;
  const auto kind = visit.node.goal == Goal::kGone ? CallQueue::Kind::kTakeAway : CallQueue::Kind::kMake;
  host_queue_.add(
      {visit.vc.owner, visit.unit.unit_id, kind, [this, id, user = visit.vc.owner] { takeHostTurn(id, user); }});
}

void Decider::takeHostTurn(const std::string& node_id, const std::string& user) {
  host_turns_.erase(node_id);
  if (!busy_.contains(node_id)) {
    const auto visit = look(node_id);
    const bool same_user = visit.ok() && visit->vc.owner == user;
    if (same_user && visitHost(*visit, plan(visit->snapshot(), visit->now))) return;
  }
  host_queue_.leave(user, seams_.clock.monoMs());
  schedule(node_id, 0);
}

void Decider::runOnHost(const std::string& user, Job blocking, Job after) {
  runOn(*ssh_executor_, std::move(blocking), [this, user, after = std::move(after)] {
    host_queue_.leave(user, seams_.clock.monoMs());
    after();
  });
}

void Decider::lookInTurn(const std::string& user, const std::string& unit_id, Job blocking, Job after) {
  host_queue_.add(
      {user, unit_id, CallQueue::Kind::kLook,
       [this, user, blocking = std::move(blocking), after = std::move(after)] { runOnHost(user, blocking, after); }});
}

void Decider::flushHosts() {
  while (const auto begin = host_queue_.next(seams_.clock.monoMs())) (*begin)();
}

}  // namespace vcc

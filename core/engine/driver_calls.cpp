// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "engine/decider.h"

/// The ways into the drivers: a pool of threads for each instance, which a slow or dead one cannot leave, and its
/// queue.
namespace vcc {

Decider::DriverPool& Decider::poolOf(const DriverSlot& slot) {
  const auto found = driver_pools_.find(slot.instance);
  if (found != driver_pools_.end()) return found->second;
  const std::size_t places = std::max<std::size_t>(slot.driver->info().concurrency, 1);
  return driver_pools_
      .emplace(slot.instance, DriverPool{CallQueue(places), seams_.make_executor("drv-" + slot.instance, places)})
      .first->second;
}

void Decider::queueCall(const DriverSlot& slot, const std::string& account, const std::string& user,
                        CallQueue::Kind kind, Job begin) {
  poolOf(slot).queue.add({account, user, kind, std::move(begin)});
}

void Decider::callForNode(const Visit& visit, CallQueue::Kind kind, Job blocking, Job after) {
  callInTurn(*visit.slot, visit.account(), visit.vc.owner, kind, std::move(blocking), std::move(after));
}

void Decider::leaveDriver(const DriverSlot& slot, const std::string& account) {
  poolOf(slot).queue.leave(account, seams_.clock.monoMs());
}

void Decider::heed(const Visit& asked, const Status& error, CallKind kind) {
  const std::string name = asked.account();
  if (error.ok()) {
    if (const auto known = accounts_.find(name); known != accounts_.end()) known->second.throttled = 0;
    if (conditions_.end(name)) seams_.log.info("CONDITION_ENDED", "the account answers again", {{"account", name}});
    return;
  }
  const ErrorClass what = errorClass(error);
  if (what == ErrorClass::kThrottle) {
    const std::int64_t pause = retryAfter(error, kind, ++accounts_[name].throttled, seams_.random).after_ms;
    poolOf(*asked.slot).queue.pause(name, seams_.clock.monoMs() + pause);
  }
  if (what != ErrorClass::kAuth || kind == CallKind::kCreate) return;
  Condition condition{.about = fmt::format("account {} of {}/{}", asked.grant.fingerprint.substr(0, 8),
                                           asked.unit.instance, asked.unit.network),
                      .text = error.message(),
                      .since = seams_.store.now(),
                      .vcids = {}};
  seams_.store.read([&](const ReadTx& tx) {
    tx.machines().scan([&](const Machine& machine) {
      if (machine.scope == asked.machine->scope) condition.vcids.insert(machine.vcid);
      return true;
    });
  });
  if (conditions_.raise(name, condition)) {
    seams_.log.warn("ACCOUNT_REFUSED", error.message(), {{"account", name}, {"provider_code", error.providerCode()}});
  }
}

void Decider::noteWaiting(const std::string& node_id, const Status& why) {
  if (why.code() == Code::kNotFound) return;
  Condition condition{.about = {}, .text = why.message(), .since = seams_.store.now(), .vcids = {}};
  seams_.store.read([&](const ReadTx& tx) {
    const Node* node = tx.nodes().find(node_id);
    const Unit* unit = node ? tx.units().find(node->unit_id) : nullptr;
    if (!unit) return;
    condition.vcids.insert(unit->vcid);
    const DriverSlot* slot = seams_.drivers.byInstance(unit->instance);
    if (!slot || !slot->driver) {
      condition.about = "driver " + unit->instance;
    } else if (!seams_.catalog()->entry(unit->provider, unit->network).ok()) {
      condition.about = fmt::format("catalog entry {}/{}", unit->provider, unit->network);
    } else {
      condition.about = "node " + node_id;
    }
  });
  waiting_[node_id] = condition.about;
  if (conditions_.raise(condition.about, condition)) {
    seams_.log.warn("NODE_WAITS_FOR_DRIVER", why.message(), {{"node_id", node_id}});
  }
}

void Decider::endWaiting(const std::string& node_id) {
  const auto waited = waiting_.find(node_id);
  if (waited == waiting_.end()) return;
  if (conditions_.end(waited->second)) {
    seams_.log.info("CONDITION_ENDED", "nodes that waited go on", {{"condition", waited->second}});
  }
  waiting_.erase(waited);
}

void Decider::callInTurn(const DriverSlot& slot, const std::string& account, const std::string& user,
                         CallQueue::Kind kind, Job blocking, Job after) {
  queueCall(slot, account, user, kind,
            [this, &slot, account, blocking = std::move(blocking), after = std::move(after)] {
              runOn(*poolOf(slot).executor, blocking, [this, &slot, account, after] {
                leaveDriver(slot, account);
                after();
              });
            });
}

void Decider::askDriver(const DriverSlot& slot, const std::string& account, Job blocking, Job after) {
  callInTurn(slot, account, "", CallQueue::Kind::kLook, std::move(blocking), std::move(after));
}

std::optional<std::int64_t> Decider::flushCalls() {
  std::optional<std::int64_t> first;
  const std::int64_t now = seams_.clock.monoMs();
  for (auto& [instance, pool] : driver_pools_) {
    while (const auto begin = pool.queue.next(now)) (*begin)();
    if (const auto at = pool.queue.nextAt(now)) first = std::min(first.value_or(*at), *at);
  }
  return first;
}

}  // namespace vcc

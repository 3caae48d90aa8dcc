// SPDX-License-Identifier: Apache-2.0
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

void Decider::leaveDriver(const DriverSlot& slot, const std::string& account) {
  poolOf(slot).queue.leave(account, seams_.clock.monoMs());
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

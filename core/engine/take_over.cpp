// SPDX-License-Identifier: Apache-2.0
#include "engine/take_over.h"

#include <algorithm>
#include <vector>

#include "model/doubt.h"
#include "model/power.h"

/// What is not here stands, because a clock that was set then does no harm that lasts:
/// - tokens of creates are sent again only after a look of this process (model/doubt.h);
/// - a settled machine in trouble is HOST_ERROR, which a look takes back;
/// - the deadlines of goals and the age of strays count the time in which nothing ran: nobody waits longer for a boot
///   because the controller was down, and `sweep_delete` asks for two more complete lists in any case;
/// - deletes and power changes that seem not to show are asked for again, which is harmless.
namespace vcc {

namespace {

template <typename T, typename Change>
Status changeAll(Table<T>& table, Change&& change) {
  std::vector<T> changed;
  table.scan([&](const T& record) {
    T copy = record;
    if (change(copy)) changed.push_back(std::move(copy));
    return true;
  });
  for (T& record : changed) VCC_RETURN_IF_ERROR(table.put(std::move(record)));
  return okStatus();
}

}  // namespace

Status countAnew(Tx& tx, std::int64_t ended_at) {
  // A request without an answer may be on its way until just now. What was not seen once was not seen.
  VCC_RETURN_IF_ERROR(changeAll(tx.machines(), [&](Machine& machine) {
    const bool counts = inDoubt(machine) || machine.absent_since > 0;
    machine.absent_since = 0;
    renewDoubt(machine, ended_at);
    return counts;
  }));
  VCC_RETURN_IF_ERROR(changeAll(tx.ops(), [&](Op& op) {
    const bool open = std::ranges::any_of(op.items, [&](const OpItem& item) { return isUnansweredPower(item, op); });
    if (!isPower(op.verb) || !open) return false;
    op.sent_at = ended_at;
    return true;
  }));
  VCC_RETURN_IF_ERROR(changeAll(tx.strays(), [](Stray& stray) {
    const bool counts = stray.absent_since > 0;
    stray.absent_since = 0;
    return counts;
  }));
  // A grant is wiped after a list that nothing of before can be missing from. Later than that was nothing: a time that
  // says so is of a clock that was put back while nothing ran.
  VCC_RETURN_IF_ERROR(changeAll(tx.sweepPlaces(), [&](SweepPlace& place) {
    if (place.used_at == ended_at) return false;
    place.used_at = ended_at;
    return true;
  }));
  // An existing server gets its whole time to be reached before its container is left behind.
  return changeAll(tx.nodes(), [&](Node& node) {
    if (node.step != Step::kRelease) return false;
    node.step_at = tx.now();
    return true;
  });
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "store/record_times.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

namespace vcc {

namespace {

/// By kind of record: `kPast` was the present when it was written, `kOther` may lie ahead.
template <typename T>
struct Times;

template <>
struct Times<Node> {
  static constexpr std::array kPast{&Node::goal_at, &Node::step_at};
  static constexpr std::array kOther{&Node::deadline,  &Node::step_deadline,     &Node::next_at,
                                     &Node::create_at, &Node::container_started, &Node::boot_at};
};
template <>
struct Times<Machine> {
  static constexpr std::array kPast{&Machine::observed_at, &Machine::absent_since};
  static constexpr std::array kOther{&Machine::doubt_at};
};
template <>
struct Times<Op> {
  static constexpr std::array kPast{&Op::first_sent_at};
  static constexpr std::array kOther{&Op::sent_at, &Op::next_at};
};
template <>
struct Times<SweepPlace> {
  static constexpr std::array kPast{&SweepPlace::tried_at, &SweepPlace::swept_at};
  static constexpr std::array kOther{&SweepPlace::used_at};
};
template <>
struct Times<Stray> {
  static constexpr std::array kPast{&Stray::first_seen_at, &Stray::last_seen_at, &Stray::want_at, &Stray::verified_at,
                                    &Stray::looked_at,     &Stray::absent_since, &Stray::sent_at, &Stray::accepted_at};
  static constexpr std::array kOther{&Stray::next_at};
};

void move(std::int64_t& time, std::int64_t by_ms) {
  if (time > 0) time = std::max<std::int64_t>(time + by_ms, 1);
}

template <typename T>
bool hasTimes(const T& record) {
  const auto set = [&](auto field) { return record.*field > 0; };
  return std::ranges::any_of(Times<T>::kPast, set) || std::ranges::any_of(Times<T>::kOther, set);
}

template <typename T>
void moveAll(T& record, std::int64_t by_ms) {
  for (const auto field : Times<T>::kPast) move(record.*field, by_ms);
  for (const auto field : Times<T>::kOther) move(record.*field, by_ms);
  if constexpr (std::is_same_v<T, Op>) {
    for (OpItem& item : record.items) move(item.next_at, by_ms);
  }
}

bool isWhole(Tx& tx, const Node& node) { return tx.units().find(node.unit_id) && tx.vcs().find(node.vcid); }

template <typename T, typename Wanted>
Status moveTable(Table<T>& table, std::int64_t by_ms, Wanted&& wanted) {
  std::vector<T> moved;
  table.scan([&](const T& record) {
    if (wanted(record)) moved.push_back(record);
    return true;
  });
  for (T& record : moved) {
    moveAll(record, by_ms);
    VCC_RETURN_IF_ERROR(table.put(std::move(record)));
  }
  return okStatus();
}

template <typename T>
std::int64_t latestOf(const Table<T>& table) {
  std::int64_t latest = 0;
  table.scan([&](const T& record) {
    for (const auto field : Times<T>::kPast) latest = std::max(latest, record.*field);
    return true;
  });
  return latest;
}

}  // namespace

Status moveTimes(Tx& tx, std::int64_t by_ms) {
  VCC_RETURN_IF_ERROR(moveTable(tx.nodes(), by_ms, [&](const Node& node) { return isWhole(tx, node); }));
  VCC_RETURN_IF_ERROR(moveTable(tx.machines(), by_ms, hasTimes<Machine>));
  VCC_RETURN_IF_ERROR(moveTable(tx.sweepPlaces(), by_ms, hasTimes<SweepPlace>));
  VCC_RETURN_IF_ERROR(moveTable(tx.strays(), by_ms, hasTimes<Stray>));
  return moveTable(tx.ops(), by_ms, [](const Op&) { return true; });
}

std::int64_t latestTime(Tx& tx) {
  return std::max({latestOf(tx.nodes()), latestOf(tx.machines()), latestOf(tx.ops()), latestOf(tx.sweepPlaces()),
                   latestOf(tx.strays())});
}

}  // namespace vcc

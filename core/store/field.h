// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/records.h"
#include "store/row_list.h"

/// How one field of a record becomes one column of a table and comes back. store/schema.h lists the fields.
namespace vcc {

enum class ColumnKind : std::uint8_t { kInt, kText };

/// One cell. Texts may hold any bytes.
using Value = std::variant<std::int64_t, std::string>;
using Row = std::vector<Value>;

/// `encode` and `decode` of one C++ type. `decode` returns nothing when the cell holds no value of the type.
template <typename V>
struct Codec;

template <>
struct Codec<std::int64_t> {
  static constexpr ColumnKind kKind = ColumnKind::kInt;
  static Value encode(std::int64_t value) { return value; }
  static std::optional<std::int64_t> decode(std::int64_t cell) { return cell; }
};

template <>
struct Codec<bool> {
  static constexpr ColumnKind kKind = ColumnKind::kInt;
  static Value encode(bool value) { return std::int64_t{value ? 1 : 0}; }
  static std::optional<bool> decode(std::int64_t cell) {
    if (cell != 0 && cell != 1) return std::nullopt;
    return cell == 1;
  }
};

template <>
struct Codec<std::string> {
  static constexpr ColumnKind kKind = ColumnKind::kText;
  static Value encode(const std::string& value) { return value; }
  static std::optional<std::string> decode(std::string&& cell) { return std::move(cell); }
};

/// An enumeration, stored by name, so that a new value in the middle of the list does not change old rows.
template <typename Enum, std::string_view (*name)(Enum), std::optional<Enum> (*parse)(std::string_view)>
struct NameCodec {
  static constexpr ColumnKind kKind = ColumnKind::kText;
  static Value encode(Enum value) { return std::string(name(value)); }
  static std::optional<Enum> decode(const std::string& cell) { return parse(cell); }
};

template <>
struct Codec<Goal> : NameCodec<Goal, &goalName, &parseGoal> {};
template <>
struct Codec<State> : NameCodec<State, &stateName, &parseState> {};
template <>
struct Codec<Step> : NameCodec<Step, &stepName, &parseStep> {};
template <>
struct Codec<Reason> : NameCodec<Reason, &reasonName, &parseReason> {};
template <>
struct Codec<MachineState> : NameCodec<MachineState, &machineStateName, &parseMachineState> {};

inline std::string_view unitKindColumn(UnitKind kind) { return kind == UnitKind::kStorage ? "storage" : "compute"; }
inline std::string_view userRoleColumn(UserRole role) { return role == UserRole::kSuper ? "super" : "regular"; }
inline std::string_view apiRoleColumn(ApiRole role) { return role == ApiRole::kReadOnly ? "read_only" : "full_access"; }
inline std::string_view attachStateColumn(AttachState state) {
  constexpr std::array<std::string_view, 3> kNames = {"wanted", "asked", "attached"};
  return kNames.at(static_cast<std::size_t>(state));
}
inline std::string_view itemStateColumn(ItemState state) {
  constexpr std::array<std::string_view, 4> kNames = {"open", "pending", "done", "failed"};
  return kNames.at(static_cast<std::size_t>(state));
}

/// The value among `values` that `name` calls `text`.
template <typename Enum, std::string_view (*name)(Enum), Enum... values>
std::optional<Enum> parseAmong(std::string_view text) {
  for (const Enum value : {values...}) {
    if (name(value) == text) return value;
  }
  return std::nullopt;
}

template <typename Enum, std::string_view (*name)(Enum), Enum... values>
struct ClosedCodec : NameCodec<Enum, name, &parseAmong<Enum, name, values...>> {};

template <>
struct Codec<UnitKind> : ClosedCodec<UnitKind, &unitKindColumn, UnitKind::kCompute, UnitKind::kStorage> {};
template <>
struct Codec<UserRole> : ClosedCodec<UserRole, &userRoleColumn, UserRole::kRegular, UserRole::kSuper> {};
template <>
struct Codec<ApiRole> : ClosedCodec<ApiRole, &apiRoleColumn, ApiRole::kFullAccess, ApiRole::kReadOnly> {};
template <>
struct Codec<ItemState> : ClosedCodec<ItemState, &itemStateColumn, ItemState::kOpen, ItemState::kPending,
                                      ItemState::kDone, ItemState::kFailed> {};
template <>
struct Codec<AttachState>
    : ClosedCodec<AttachState, &attachStateColumn, AttachState::kWanted, AttachState::kAsked, AttachState::kAttached> {
};
template <>
struct Codec<OpVerb>
    : ClosedCodec<OpVerb, &opVerbName, OpVerb::kCreate, OpVerb::kDestroy, OpVerb::kPowerOn, OpVerb::kPowerOff> {};

template <>
struct Codec<std::vector<Resource>> {
  static constexpr ColumnKind kKind = ColumnKind::kText;
  static Value encode(const std::vector<Resource>& resources) {
    TextLists lists;
    for (const Resource& r : resources) lists.push_back({r.kind, r.name, r.id});
    return encodeTextLists(lists);
  }
  static std::optional<std::vector<Resource>> decode(const std::string& cell) {
    auto lists = decodeTextLists(cell);
    if (!lists) return std::nullopt;
    std::vector<Resource> resources;
    for (auto& list : *lists) {
      if (list.size() != 3) return std::nullopt;
      resources.push_back({std::move(list[0]), std::move(list[1]), std::move(list[2])});
    }
    return resources;
  }
};

template <>
struct Codec<std::vector<OpItem>> {
  static constexpr ColumnKind kKind = ColumnKind::kText;
  static Value encode(const std::vector<OpItem>& items) {
    TextLists lists;
    for (const OpItem& item : items) {
      lists.push_back({item.machine_id, std::string(itemStateColumn(item.state)), std::to_string(item.next_at),
                       std::to_string(item.pauses)});
    }
    return encodeTextLists(lists);
  }
  static std::optional<std::vector<OpItem>> decode(const std::string& cell) {
    auto lists = decodeTextLists(cell);
    if (!lists) return std::nullopt;
    std::vector<OpItem> items;
    for (auto& list : *lists) {
      if (list.size() == 3) list.emplace_back("0");  // of schema version 1
      if (list.size() != 4) return std::nullopt;
      const auto state = Codec<ItemState>::decode(list[1]);
      const auto next_at = number(list[2]);
      const auto pauses = number(list[3]);
      if (!state || !next_at || !pauses) return std::nullopt;
      items.push_back({std::move(list[0]), *state, *next_at, *pauses});
    }
    return items;
  }

 private:
  static std::optional<std::int64_t> number(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
  }
};

/// One column of the table of T.
template <typename T>
struct Field {
  std::string_view name;
  ColumnKind kind;
  Value (*get)(const T& record);
  /// False when the cell holds no value of the field's type; the field is unchanged then.
  bool (*set)(T& record, Value&& cell);
};

namespace field_detail {

template <typename>
struct Member;
template <typename T, typename V>
struct Member<V T::*> {
  using Record = T;
  using Type = V;
};

template <auto Pointer, auto... Rest>
auto& reach(auto& record) {
  if constexpr (sizeof...(Rest) == 0) {
    return record.*Pointer;
  } else {
    return reach<Rest...>(record.*Pointer);
  }
}

}  // namespace field_detail

/// The field that the member pointers lead to: `field<&Node::fault, &Fault::at>("fault_at")`.
template <auto Pointer, auto... Rest>
constexpr auto field(std::string_view name) {
  using T = typename field_detail::Member<decltype(Pointer)>::Record;
  using V = std::remove_reference_t<decltype(field_detail::reach<Pointer, Rest...>(std::declval<T&>()))>;
  using Cell = std::conditional_t<Codec<V>::kKind == ColumnKind::kInt, std::int64_t, std::string>;
  return Field<T>{
      name, Codec<V>::kKind,
      [](const T& record) -> Value { return Codec<V>::encode(field_detail::reach<Pointer, Rest...>(record)); },
      [](T& record, Value&& cell) {
        auto* content = std::get_if<Cell>(&cell);
        if (content == nullptr) return false;
        auto value = Codec<V>::decode(std::move(*content));
        if (!value) return false;
        field_detail::reach<Pointer, Rest...>(record) = std::move(*value);
        return true;
      }};
}

}  // namespace vcc

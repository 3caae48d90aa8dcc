// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <tuple>

#include "base/status.h"
#include "store/field.h"

/// The tables: one Schema<T> per record type. Each has
///   kTable       name of the table
///   kKeyColumns  how many of the leading fields make the primary key
///   kFields      the columns, in the order of model/records.h
///   key(record)  what `Table<T>::find` takes
///   kIndexes     indexes that `Table<T>::scan` can use, by name
///   kUnique      values that no two records may share
/// A change here needs a step in store/migrations.cpp.
namespace vcc {

template <typename T>
struct Schema;

/// A derived value by which records are found.
template <typename T>
struct Index {
  std::string_view name;
  std::string (*value)(const T& record);
};

/// Joins the parts of a composite key or index value. No part that is checked on its way in holds the separator.
inline std::string joinKey(std::string_view a, std::string_view b) { return fmt::format("{}\x1f{}", a, b); }
/// Twenty digits, so that the order of keys is the order of numbers.
inline std::string numberKey(std::int64_t number) { return fmt::format("{:020}", number); }

template <>
struct Schema<Vc> {
  static constexpr std::string_view kTable = "vc";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Vc::vcid>("vcid"),
      field<&Vc::vcno>("vcno"),
      field<&Vc::name>("name"),
      field<&Vc::description>("description"),
      field<&Vc::kind>("kind"),
      field<&Vc::owner>("owner"),
      field<&Vc::token_head>("token_head"),
      field<&Vc::created_at>("created_at"),
      field<&Vc::deleting>("deleting"),
      field<&Vc::version>("version"),
  };
  static std::string key(const Vc& vc) { return vc.vcid; }
  static constexpr std::array<Index<Vc>, 1> kIndexes{{{"owner", [](const Vc& vc) { return vc.owner; }}}};
  static constexpr std::array<Index<Vc>, 0> kUnique{};
};

template <>
struct Schema<Unit> {
  static constexpr std::string_view kTable = "unit";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Unit::unit_id>("unit_id"),
      field<&Unit::vcid>("vcid"),
      field<&Unit::name>("name"),
      field<&Unit::kind>("kind"),
      field<&Unit::provider>("provider"),
      field<&Unit::instance>("instance"),
      field<&Unit::network>("network"),
      field<&Unit::spec>("spec"),
      field<&Unit::grant_id>("grant_id"),
      field<&Unit::last_node_no>("last_node_no"),
      field<&Unit::deleting>("deleting"),
      field<&Unit::created_at>("created_at"),
      field<&Unit::fault, &Fault::at>("fault_at"),
      field<&Unit::fault, &Fault::text>("fault_text"),
  };
  static std::string key(const Unit& unit) { return unit.unit_id; }
  static constexpr std::array<Index<Unit>, 2> kIndexes{{{"vcid", [](const Unit& unit) { return unit.vcid; }},
                                                        {"grant_id", [](const Unit& unit) { return unit.grant_id; }}}};
  static constexpr std::array<Index<Unit>, 1> kUnique{
      {{"vcid, name", [](const Unit& unit) { return joinKey(unit.vcid, unit.name); }}}};
};

template <>
struct Schema<Node> {
  static constexpr std::string_view kTable = "node";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Node::node_id>("node_id"),
      field<&Node::vcid>("vcid"),
      field<&Node::unit_id>("unit_id"),
      field<&Node::node_no>("node_no"),
      field<&Node::requested_address>("requested_address"),
      field<&Node::goal>("goal"),
      field<&Node::goal_seq>("goal_seq"),
      field<&Node::goal_at>("goal_at"),
      field<&Node::goal_by>("goal_by"),
      field<&Node::deadline>("deadline"),
      field<&Node::watch_mode>("watch_mode"),
      field<&Node::state>("state"),
      field<&Node::reached_seq>("reached_seq"),
      field<&Node::step>("step"),
      field<&Node::step_at>("step_at"),
      field<&Node::step_deadline>("step_deadline"),
      field<&Node::attempts>("attempts"),
      field<&Node::next_at>("next_at"),
      field<&Node::create_attempts>("create_attempts"),
      field<&Node::create_at>("create_at"),
      field<&Node::spoilt>("spoilt"),
      field<&Node::progress>("progress"),
      field<&Node::fault, &Fault::at>("fault_at"),
      field<&Node::fault, &Fault::text>("fault_text"),
      field<&Node::machine_id>("machine_id"),
      field<&Node::container_id>("container_id"),
      field<&Node::container_spec_hash>("container_spec_hash"),
      field<&Node::container_started>("container_started"),
      field<&Node::boot_at>("boot_at"),
  };
  static std::string key(const Node& node) { return node.node_id; }
  static constexpr std::array<Index<Node>, 2> kIndexes{{{"unit_id", [](const Node& node) { return node.unit_id; }},
                                                        {"vcid", [](const Node& node) { return node.vcid; }}}};
  static constexpr std::array<Index<Node>, 1> kUnique{
      {{"unit_id, node_no", [](const Node& node) { return joinKey(node.unit_id, numberKey(node.node_no)); }}}};
};

template <>
struct Schema<Request> {
  static constexpr std::string_view kTable = "request";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Request::request_id>("request_id"),
      field<&Request::text>("text"),
      field<&Request::created_at>("created_at"),
  };
  static std::string key(const Request& request) { return request.request_id; }
  static constexpr std::array<Index<Request>, 0> kIndexes{};
  static constexpr std::array<Index<Request>, 0> kUnique{};
};

template <>
struct Schema<Machine> {
  static constexpr std::string_view kTable = "machine";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Machine::machine_id>("machine_id"),
      field<&Machine::node_id>("node_id"),
      field<&Machine::unit_id>("unit_id"),
      field<&Machine::vcid>("vcid"),
      field<&Machine::instance>("instance"),
      field<&Machine::name>("name"),
      field<&Machine::create_op>("create_op"),
      field<&Machine::item_index>("item_index"),
      field<&Machine::create_size>("create_size"),
      field<&Machine::open_op>("open_op"),
      field<&Machine::request_id>("request_id"),
      field<&Machine::scope>("scope"),
      field<&Machine::grant_id>("grant_id"),
      field<&Machine::network>("network"),
      field<&Machine::requested_address>("requested_address"),
      field<&Machine::cloud_id>("cloud_id"),
      field<&Machine::address>("address"),
      field<&Machine::resources>("resources"),
      field<&Machine::driver_state>("driver_state"),
      field<&Machine::observed>("observed"),
      field<&Machine::observed_reason>("observed_reason"),
      field<&Machine::observed_at>("observed_at"),
      field<&Machine::absent_since>("absent_since"),
      field<&Machine::doubt_at>("doubt_at"),
      field<&Machine::doubt_parts>("doubt_parts"),
      field<&Machine::host_key>("host_key"),
      field<&Machine::want_destroy>("want_destroy"),
      field<&Machine::created_at>("created_at"),
      field<&Machine::kind>("kind"),
      field<&Machine::size_gib>("size_gib"),
      field<&Machine::ended_op>("ended_op"),
  };
  static std::string key(const Machine& machine) { return machine.machine_id; }
  static constexpr std::array<Index<Machine>, 4> kIndexes{
      {{"node_id", [](const Machine& machine) { return machine.node_id; }},
       {"request_id", [](const Machine& machine) { return machine.request_id; }},
       {"unit_id", [](const Machine& machine) { return machine.unit_id; }},
       {"grant_id", [](const Machine& machine) { return machine.grant_id; }}}};
  static constexpr std::array<Index<Machine>, 1> kUnique{
      {{"name", [](const Machine& machine) { return machine.name; }}}};
};

template <>
struct Schema<Attachment> {
  static constexpr std::string_view kTable = "attachment";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Attachment::disk>("disk"),           field<&Attachment::node_id>("node_id"),
      field<&Attachment::vcid>("vcid"),           field<&Attachment::disk_vcid>("disk_vcid"),
      field<&Attachment::volume_id>("volume_id"), field<&Attachment::position>("position"),
      field<&Attachment::state>("state"),         field<&Attachment::machine_id>("machine_id"),
      field<&Attachment::op_id>("op_id"),
  };
  static std::string key(const Attachment& attachment) { return attachment.disk; }
  static constexpr std::array<Index<Attachment>, 1> kIndexes{
      {{"node_id", [](const Attachment& attachment) { return attachment.node_id; }}}};
  static constexpr std::array<Index<Attachment>, 0> kUnique{};
};

template <>
struct Schema<Op> {
  static constexpr std::string_view kTable = "op";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Op::op_id>("op_id"),     field<&Op::verb>("verb"),
      field<&Op::vcid>("vcid"),       field<&Op::instance>("instance"),
      field<&Op::scope>("scope"),     field<&Op::items>("items"),
      field<&Op::attempt>("attempt"), field<&Op::first_sent_at>("first_sent_at"),
      field<&Op::sent_at>("sent_at"), field<&Op::next_at>("next_at"),
      field<&Op::fence>("fence"),     field<&Op::created_at>("created_at"),
  };
  static std::string key(const Op& op) { return op.op_id; }
  static constexpr std::array<Index<Op>, 1> kIndexes{{{"vcid", [](const Op& op) { return op.vcid; }}}};
  static constexpr std::array<Index<Op>, 0> kUnique{};
};

template <>
struct Schema<Address> {
  static constexpr std::string_view kTable = "address";
  static constexpr std::size_t kKeyColumns = 3;
  static constexpr std::array kFields{
      field<&Address::instance>("instance"), field<&Address::network>("network"), field<&Address::ip>("ip"),
      field<&Address::node_id>("node_id"),   field<&Address::vcid>("vcid"),
  };
  static std::string key(const Address& address) {
    return joinKey(joinKey(address.instance, address.network), address.ip);
  }
  static constexpr std::array<Index<Address>, 1> kIndexes{
      {{"node_id", [](const Address& address) { return address.node_id; }}}};
  static constexpr std::array<Index<Address>, 0> kUnique{};
};

template <>
struct Schema<User> {
  static constexpr std::string_view kTable = "user";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&User::name>("name"),
      field<&User::role>("role"),
      field<&User::created_at>("created_at"),
  };
  static std::string key(const User& user) { return user.name; }
  static constexpr std::array<Index<User>, 0> kIndexes{};
  static constexpr std::array<Index<User>, 0> kUnique{};
};

template <>
struct Schema<Token> {
  static constexpr std::string_view kTable = "token";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Token::hash>("hash"),
      field<&Token::head>("head"),
      field<&Token::user>("user"),
      field<&Token::role>("role"),
      field<&Token::note>("note"),
      field<&Token::mail>("mail"),
      field<&Token::created_at>("created_at"),
      field<&Token::expires_at>("expires_at"),
  };
  static std::string key(const Token& token) { return token.hash; }
  static constexpr std::array<Index<Token>, 1> kIndexes{{{"user", [](const Token& token) { return token.user; }}}};
  static constexpr std::array<Index<Token>, 0> kUnique{};
};

template <>
struct Schema<Secret> {
  static constexpr std::string_view kTable = "secret";
  static constexpr std::size_t kKeyColumns = 3;
  static constexpr std::array kFields{
      field<&Secret::mount>("mount"), field<&Secret::owner>("owner"),           field<&Secret::path>("path"),
      field<&Secret::value>("value"), field<&Secret::updated_at>("updated_at"),
  };
  static std::string key(const Secret& secret) { return joinKey(joinKey(secret.mount, secret.owner), secret.path); }
  static std::string folder(const Secret& secret) { return joinKey(secret.mount, secret.owner); }
  static constexpr std::array<Index<Secret>, 1> kIndexes{{{"mount, owner", folder}}};
  static constexpr std::array<Index<Secret>, 0> kUnique{};
};

template <>
struct Schema<Grant> {
  static constexpr std::string_view kTable = "grant";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Grant::grant_id>("grant_id"),       field<&Grant::owner>("owner"),
      field<&Grant::token_hash>("token_hash"),   field<&Grant::references>("refs"),
      field<&Grant::fingerprint>("fingerprint"), field<&Grant::values>("sealed"),
      field<&Grant::created_at>("created_at"),   field<&Grant::changed_at>("changed_at"),
  };
  static std::string key(const Grant& grant) { return grant.grant_id; }
  static constexpr std::array<Index<Grant>, 1> kIndexes{
      {{"token_hash", [](const Grant& grant) { return grant.token_hash; }}}};
  static constexpr std::array<Index<Grant>, 0> kUnique{};
};

template <>
struct Schema<Event> {
  static constexpr std::string_view kTable = "event";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Event::seq>("seq"),
      field<&Event::at>("at"),
      field<&Event::vcid>("vcid"),
      field<&Event::object>("object"),
      field<&Event::object_id>("object_id"),
      field<&Event::from>("from_state"),
      field<&Event::to>("to_state"),
      field<&Event::reason>("reason"),
      field<&Event::op_id>("op_id"),
  };
  static std::string key(const Event& event) { return numberKey(event.seq); }
  static constexpr std::array<Index<Event>, 0> kIndexes{};
  static constexpr std::array<Index<Event>, 0> kUnique{};
};

template <>
struct Schema<SweepPlace> {
  static constexpr std::string_view kTable = "sweep_place";
  static constexpr std::size_t kKeyColumns = 2;
  static constexpr std::array kFields{
      field<&SweepPlace::scope>("scope"),
      field<&SweepPlace::grant_id>("grant_id"),
      field<&SweepPlace::instance>("instance"),
      field<&SweepPlace::network>("network"),
      field<&SweepPlace::entry>("entry"),
      field<&SweepPlace::used_at>("used_at"),
      field<&SweepPlace::tried_at>("tried_at"),
      field<&SweepPlace::swept_at>("swept_at"),
      field<&SweepPlace::fault, &Fault::at>("fault_at"),
      field<&SweepPlace::fault, &Fault::text>("fault_text"),
  };
  static std::string key(const SweepPlace& place) { return joinKey(place.scope, place.grant_id); }
  static constexpr std::array<Index<SweepPlace>, 1> kIndexes{
      {{"grant_id", [](const SweepPlace& place) { return place.grant_id; }}}};
  static constexpr std::array<Index<SweepPlace>, 0> kUnique{};
};

template <>
struct Schema<Stray> {
  static constexpr std::string_view kTable = "stray";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Stray::stray_id>("stray_id"),
      field<&Stray::scope>("scope"),
      field<&Stray::grant_id>("grant_id"),
      field<&Stray::instance>("instance"),
      field<&Stray::name>("name"),
      field<&Stray::cloud_id>("cloud_id"),
      field<&Stray::address>("address"),
      field<&Stray::create_op>("create_op"),
      field<&Stray::create_index>("create_index"),
      field<&Stray::resources>("resources"),
      field<&Stray::observed>("observed"),
      field<&Stray::first_seen_at>("first_seen_at"),
      field<&Stray::last_seen_at>("last_seen_at"),
      field<&Stray::sweeps>("sweeps"),
      field<&Stray::left>("left"),
      field<&Stray::want_by>("want_by"),
      field<&Stray::want_at>("want_at"),
      field<&Stray::verified_at>("verified_at"),
      field<&Stray::looked_at>("looked_at"),
      field<&Stray::absent_since>("absent_since"),
      field<&Stray::op_id>("op_id"),
      field<&Stray::sent_at>("sent_at"),
      field<&Stray::accepted_at>("accepted_at"),
      field<&Stray::attempts>("attempts"),
      field<&Stray::next_at>("next_at"),
      field<&Stray::driver_state>("driver_state"),
      field<&Stray::fault, &Fault::at>("fault_at"),
      field<&Stray::fault, &Fault::text>("fault_text"),
  };
  static std::string key(const Stray& stray) { return stray.stray_id; }
  static constexpr std::array<Index<Stray>, 1> kIndexes{
      {{"place", [](const Stray& stray) { return joinKey(stray.scope, stray.grant_id); }}}};
  static constexpr std::array<Index<Stray>, 0> kUnique{};
};

template <>
struct Schema<Lease> {
  static constexpr std::string_view kTable = "lease";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Lease::shard>("shard"),
      field<&Lease::holder>("holder"),
      field<&Lease::fence>("fence"),
      field<&Lease::expires_at>("expires_at"),
  };
  static std::string key(const Lease& lease) { return lease.shard; }
  static constexpr std::array<Index<Lease>, 0> kIndexes{};
  static constexpr std::array<Index<Lease>, 0> kUnique{};
};

template <>
struct Schema<Meta> {
  static constexpr std::string_view kTable = "meta";
  static constexpr std::size_t kKeyColumns = 1;
  static constexpr std::array kFields{
      field<&Meta::key>("key"),
      field<&Meta::text>("text"),
      field<&Meta::number>("number"),
  };
  static std::string key(const Meta& meta) { return meta.key; }
  static constexpr std::array<Index<Meta>, 0> kIndexes{};
  static constexpr std::array<Index<Meta>, 0> kUnique{};
};

/// One `Holder<T>` per record type, parents before children. std::apply walks them.
template <template <typename> class Holder>
using PerRecord =
    std::tuple<Holder<Vc>, Holder<Unit>, Holder<Node>, Holder<Request>, Holder<Machine>, Holder<Attachment>, Holder<Op>,
               Holder<Address>, Holder<User>, Holder<Token>, Holder<Secret>, Holder<Grant>, Holder<Event>,
               Holder<SweepPlace>, Holder<Stray>, Holder<Lease>, Holder<Meta>>;

template <typename T>
Row toRow(const T& record) {
  Row row;
  row.reserve(Schema<T>::kFields.size());
  for (const auto& column : Schema<T>::kFields) row.push_back(column.get(record));
  return row;
}

/// Fills `record` from the cells. Cells that hold no value of their field's type are skipped, so that the rest of a
/// damaged row is still known; kDataLoss then, naming table, key and columns.
template <typename T>
Status fromRow(Row&& row, T& record) {
  std::string bad;
  for (std::size_t i = 0; i < Schema<T>::kFields.size(); ++i) {
    const auto& column = Schema<T>::kFields[i];
    if (i < row.size() && column.set(record, std::move(row[i]))) continue;
    bad += bad.empty() ? "" : ", ";
    bad += column.name;
  }
  if (bad.empty()) return okStatus();
  return dataLoss(fmt::format("cannot read row '{}' of table {}: no legal value in {}", Schema<T>::key(record),
                              Schema<T>::kTable, bad));
}

}  // namespace vcc

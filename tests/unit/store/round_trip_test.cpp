// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "store/row_list.h"
#include "store/schema.h"
#include "unit/store/backends.h"

using namespace vcc;
using namespace vcc::test;
using namespace std::string_literals;

namespace {

/// Converts to anything: counts the members of an aggregate.
struct Anything {
  template <typename T>
  operator T() const;  // NOLINT(google-explicit-constructor): never called
};

template <typename T, typename... Args>
constexpr std::size_t memberCount() {
  if constexpr (requires { T{std::declval<Args>()..., Anything{}}; }) {
    return memberCount<T, Args..., Anything>();
  } else {
    return sizeof...(Args);
  }
}

/// Columns that a record needs: one per member, and one more for each `fault`, which takes two.
template <typename T>
constexpr std::size_t columnsNeeded() {
  return memberCount<T>() + (requires(T t) { t.fault; } ? 1U : 0U);
}

const std::string kOdd = "odd: \" ' \\ \n \xC3\xA9 \xFF \0 end"s;

/// A record in which every field differs from its default and, where its type allows, from every other field.
template <typename T>
T fullRecord(int salt) {
  T record{};
  const Row defaults = toRow(T{});
  for (std::size_t i = 0; i < Schema<T>::kFields.size(); ++i) {
    const auto& column = Schema<T>::kFields[i];
    const auto id = static_cast<std::int64_t>(i) + 1000 * salt + 2;
    std::vector<Value> candidates;
    if (column.kind == ColumnKind::kInt) {
      candidates = {id, std::int64_t{1}, std::int64_t{0}};
    } else {
      candidates = {fmt::format(R"([["nic {0}","a\"b\\","\u0000{0}"],["disk","",""]])", id),
                    fmt::format(R"([["m{0}","pending","{0}"],["n","done","-7"]])", id)};
      if (std::get<std::string>(defaults[i]) != "[]") {
        candidates.insert(candidates.begin(), fmt::format("{} {}", id, kOdd));
        for (const char* name :
             {"storage", "super", "read_only", "power_off", "GONE", "DELETING", "unpaid", "RUNNING", "attached"}) {
          candidates.emplace_back(name);
        }
        candidates.emplace_back(std::string(stepName(Step::kDestroy)));
      }
    }
    bool set = false;
    for (Value& candidate : candidates) {
      if (candidate == defaults[i]) continue;
      set = column.set(record, Value(candidate));
      if (set) break;
    }
    REQUIRE_MESSAGE(set, column.name);
  }
  return record;
}

template <typename T>
Table<T>& tableOf(Tx& tx) {
  if constexpr (std::is_same_v<T, Vc>) return tx.vcs();
  if constexpr (std::is_same_v<T, Unit>) return tx.units();
  if constexpr (std::is_same_v<T, Node>) return tx.nodes();
  if constexpr (std::is_same_v<T, Machine>) return tx.machines();
  if constexpr (std::is_same_v<T, Attachment>) return tx.attachments();
  if constexpr (std::is_same_v<T, Request>) return tx.requests();
  if constexpr (std::is_same_v<T, Op>) return tx.ops();
  if constexpr (std::is_same_v<T, Address>) return tx.addresses();
  if constexpr (std::is_same_v<T, User>) return tx.users();
  if constexpr (std::is_same_v<T, Token>) return tx.tokens();
  if constexpr (std::is_same_v<T, Secret>) return tx.secrets();
  if constexpr (std::is_same_v<T, Grant>) return tx.grants();
  if constexpr (std::is_same_v<T, Event>) return tx.events();
  if constexpr (std::is_same_v<T, SweepPlace>) return tx.sweepPlaces();
  if constexpr (std::is_same_v<T, Stray>) return tx.strays();
  if constexpr (std::is_same_v<T, Lease>) return tx.leases();
  if constexpr (std::is_same_v<T, Meta>) return tx.metas();
}

/// Makes the parents that the record's foreign keys need.
template <typename T>
Status putParents(Tx& tx, const T& record) {
  if constexpr (std::is_same_v<T, Unit>) return tx.vcs().put(makeVc(record.vcid));
  if constexpr (std::is_same_v<T, Node>) {
    VCC_RETURN_IF_ERROR(tx.vcs().put(makeVc(record.vcid)));
    return tx.units().put(makeUnit(record.unit_id, record.vcid, "parent"));
  }
  return okStatus();
}

template <typename T>
void checkRoundTrip(AnyBench& bench) {
  CAPTURE(Schema<T>::kTable);
  static_assert(columnsNeeded<T>() == Schema<T>::kFields.size(), "a member of the record has no column");
  // Written as new, then replaced, so that both halves of the upsert are seen.
  T record = fullRecord<T>(1);
  const std::string key = Schema<T>::key(record);
  for (const int salt : {2, 1}) {
    T next = fullRecord<T>(salt);
    for (std::size_t i = 0; i < Schema<T>::kKeyColumns; ++i) {
      const auto& column = Schema<T>::kFields[i];
      REQUIRE(column.set(next, column.get(record)));
    }
    const Status status = bench.store->transact([&](Tx& tx) {
      VCC_RETURN_IF_ERROR(putParents(tx, next));
      return tableOf<T>(tx).put(next);
    });
    REQUIRE_MESSAGE(status.ok(), status.toString());
    REQUIRE(bench.open().ok());
    Row found;
    REQUIRE(bench.store
                ->transact([&](Tx& tx) {
                  const T* there = tableOf<T>(tx).find(key);
                  if (there != nullptr) found = toRow(*there);
                  return okStatus();
                })
                .ok());
    Row expected = toRow(next);
    if constexpr (std::is_same_v<T, Vc>) expected.back() = std::int64_t{salt == 2 ? 1 : 2};  // the store's own field
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(Schema<T>::kFields[i].name);
      CHECK(found[i] == expected[i]);
    }
  }
  REQUIRE(bench.store
              ->transact([&](Tx& tx) {
                tableOf<T>(tx).erase(key);
                return okStatus();
              })
              .ok());
  REQUIRE(bench.open().ok());
  CHECK(bench.store
            ->transact([&](Tx& tx) { return tableOf<T>(tx).find(key) == nullptr ? okStatus() : internalError(""); })
            .ok());
}

template <typename T>
void checkDistinct() {
  const Row row = toRow(fullRecord<T>(1));
  std::set<std::string> texts;
  std::set<std::int64_t> numbers;
  for (const Value& cell : row) {
    if (const auto* text = std::get_if<std::string>(&cell); text != nullptr && text->find("odd") != std::string::npos) {
      CHECK(texts.insert(*text).second);
    }
    if (const auto* number = std::get_if<std::int64_t>(&cell); number != nullptr && *number > 1) {
      CHECK(numbers.insert(*number).second);
    }
  }
}

template <typename T>
struct Tag {
  using Type = T;
};

}  // namespace

TEST_CASE_TEMPLATE("every field of every record survives", B, MemoryBackend, SqliteBackend, FaultSqliteBackend) {
  Bench<B> bench;
  REQUIRE(bench.open().ok());
  std::apply([&]<typename... T>(Tag<T>...) { (checkRoundTrip<T>(bench), ...); }, PerRecord<Tag>());
}

TEST_CASE("no two columns of a table hold the same member") {
  std::apply([]<typename... T>(Tag<T>...) { (checkDistinct<T>(), ...); }, PerRecord<Tag>());
}

TEST_CASE("every value of the enumerations comes back from its column") {
  const auto check = []<typename Enum>(Enum last) {
    for (int i = 0; i <= static_cast<int>(last); ++i) {
      const auto value = static_cast<Enum>(i);
      CHECK(Codec<Enum>::decode(std::get<std::string>(Codec<Enum>::encode(value))) == value);
    }
    CHECK_FALSE(Codec<Enum>::decode("no such name").has_value());
    CHECK_FALSE(Codec<Enum>::decode("").has_value());
  };
  check(UnitKind::kStorage);
  check(Goal::kGone);
  check(State::kIndefinite);
  check(Step::kVerify);
  check(Reason::kUnpaid);
  check(MachineState::kFailed);
  check(OpVerb::kPowerOff);
  check(ItemState::kFailed);
  check(UserRole::kSuper);
  check(ApiRole::kReadOnly);
}

TEST_CASE("lists in a column: any bytes come back, anything else is refused") {
  const TextLists lists = {{}, {""}, {"a", kOdd}, {"\x01\x1f", "]],[[", "\\u0041"}};
  CHECK(decodeTextLists(encodeTextLists(lists)) == lists);
  CHECK(encodeTextLists({}) == "[]");
  CHECK(encodeTextLists({{"a", "b\n"}}) == R"([["a","b\u000a"]])");
  for (const char* bad : {"", "[", "[]x", "[[]", "[[\"a]]", "[[\"a\",]]", "[[],]", "[\"a\"]", "[[1]]", "[[\"\\x\"]]",
                          "[[\"\\u00\"]]", "[[\"\\u0041\"]]", "[[\"a\nb\"]]", " []"}) {
    CAPTURE(bad);
    CHECK_FALSE(decodeTextLists(bad).has_value());
  }
}

TEST_CASE("a row with bad cells names them all, and keeps the good ones") {
  Node node = fullRecord<Node>(1);
  Row row = toRow(node);
  row[5] = std::string("FLYING");        // goal
  row[10] = std::int64_t{2};             // watch_mode
  row[3] = std::string("not a number");  // node_no
  Node read;
  const Status status = fromRow(std::move(row), read);
  CHECK(status.code() == Code::kDataLoss);
  CHECK(status.message() ==
        "cannot read row '" + node.node_id + "' of table node: no legal value in node_no, goal, watch_mode");
  CHECK(read.unit_id == node.unit_id);
  CHECK(read.machine_id == node.machine_id);
}

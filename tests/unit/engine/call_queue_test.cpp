// SPDX-License-Identifier: Apache-2.0
#include "engine/call_queue.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vcc;
using Kind = CallQueue::Kind;

namespace {

struct Queue {
  CallQueue queue;
  std::vector<std::string> begun;

  explicit Queue(std::size_t places) : queue(places) {}
  void add(const std::string& account, const std::string& user, Kind kind, const std::string& name) {
    queue.add({account, user, kind, [this, name] { begun.push_back(name); }});
  }
  /// Begins all that may begin now.
  std::vector<std::string> go(std::int64_t now = 0) {
    begun.clear();
    while (const auto begin = queue.next(now)) (*begin)();
    return begun;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("only so many calls run at once, and the next begins when one has ended") {
  Queue q(2);
  q.add("a", "u", Kind::kMake, "a1");
  q.add("b", "u", Kind::kMake, "b1");
  q.add("c", "u", Kind::kMake, "c1");
  CHECK(q.go() == Names{"a1", "b1"});
  CHECK(q.queue.waiting() == 1);
  CHECK(q.go().empty());
  q.queue.leave("a", 0);
  CHECK(q.go() == Names{"c1"});
  CHECK(q.queue.waiting() == 0);
}

TEST_CASE("accounts take turns, however much one of them wants") {
  Queue q(1);
  for (int i = 0; i < 5; ++i) q.add("big", "u", Kind::kMake, "big");
  CHECK(q.go() == Names{"big"});
  q.add("small", "u", Kind::kMake, "small");
  q.queue.leave("big", 0);
  CHECK(q.go() == Names{"small"});
  q.queue.leave("small", 0);
  CHECK(q.go() == Names{"big"});
}

TEST_CASE("users of one account take turns") {
  Queue q(1);
  for (int i = 0; i < 5; ++i) q.add("a", "one", Kind::kMake, "one");
  q.add("a", "two", Kind::kMake, "two");
  q.add("a", "three", Kind::kMake, "three");
  Names order;
  while (order.size() < 5) {
    for (const std::string& name : q.go()) order.push_back(name);
    q.queue.leave("a", 0);
  }
  CHECK(order == Names{"one", "three", "two", "one", "one"});
}

TEST_CASE("within an account destroys go before looks, and looks before creates") {
  Queue q(1);
  q.add("a", "u", Kind::kMake, "create");
  q.add("a", "", Kind::kLook, "look");
  q.add("a", "u", Kind::kTakeAway, "destroy");
  Names order;
  while (order.size() < 3) {
    for (const std::string& name : q.go()) order.push_back(name);
    q.queue.leave("a", 0);
  }
  CHECK(order == Names{"destroy", "look", "create"});
}

TEST_CASE("an account whose calls do not end leaves places to the others") {
  Queue q(4);
  for (int i = 0; i < 10; ++i) q.add("stuck", "u", Kind::kMake, "stuck");
  CHECK(q.go().size() == 3);
  q.add("good", "u", Kind::kMake, "good");
  CHECK(q.go() == Names{"good"});
  SUBCASE("where there is one place only, nothing can be kept free") {
    Queue single(1);
    single.add("stuck", "u", Kind::kMake, "stuck");
    CHECK(single.go() == Names{"stuck"});
  }
}

TEST_CASE("a pause holds the calls of its account alone, until it ends") {
  Queue q(4);
  q.queue.pause("slow", 1000);
  q.add("slow", "u", Kind::kTakeAway, "slow");
  q.add("good", "u", Kind::kMake, "good");
  CHECK(q.go(999) == Names{"good"});
  CHECK(q.queue.nextAt(999) == 1000);
  q.queue.pause("slow", 500);  // a shorter one does not end it
  CHECK(q.go(999).empty());
  CHECK(q.go(1000) == Names{"slow"});
  CHECK_FALSE(q.queue.nextAt(1000));
}

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "host/msgpack.h"
#include "host/serf_client.h"
#include "support/fake_server.h"

using namespace vcc;
using namespace std::string_literals;
using vcc::test::FakeServer;

namespace {

/// MessagePack as the agent's library writes it: raw texts, arrays and maps.
std::string text(const std::string& value) {
  std::string out;
  packText(out, value);
  return out;
}
std::string map(std::uint8_t pairs, const std::string& content) {
  std::string out;
  packMap(out, pairs);
  return out + content;
}
std::string array16(std::size_t count, const std::string& content) {
  return "\xdc"s + static_cast<char>(count >> 8U) + static_cast<char>(count & 0xffU) + content;
}
std::string header(char seq, const std::string& error = "") {
  return map(2, text("Seq") + seq + text("Error") + text(error));
}
std::string member(const std::string& name, const std::string& status) {
  return map(5, text("Name") + text(name) + text("Addr") + "\xc4\x04\x7f\x00\x00\x01"s + text("Port") +
                    "\xcd\x1f\x0b"s + text("Tags") + map(1, text("role") + text("x")) + text("Status") + text(status));
}
std::string members(const std::vector<std::string>& all) {
  std::string content;
  for (const std::string& one : all) content += one;
  return map(1, text("Members") + array16(all.size(), content));
}
std::string event(const std::string& name, const std::vector<std::string>& all) {
  std::string content;
  for (const std::string& one : all) content += one;
  return map(2, text("Event") + text(name) + text("Members") + array16(all.size(), content));
}

Result<std::size_t> readMessage(const std::string& bytes, SerfMessage& message) {
  return readSerfMessage(
      bytes, [](std::uint64_t seq) { return seq >= 2; }, message);
}

/// Hears what a client says.
class Listener {
 public:
  SerfClient::Report report() {
    return [this](std::vector<SerfMember> news) {
      const MutexLock lock(mutex_);
      for (SerfMember& one : news) heard_.push_back(std::move(one));
      changed_.notifyAll();
    };
  }
  bool waitFor(const std::string& name, MemberStatus status) {
    MutexLock lock(mutex_);
    return changed_.waitFor(lock, std::chrono::seconds(20), [&]() VCC_REQUIRES(mutex_) {
      return std::ranges::any_of(heard_,
                                 [&](const SerfMember& one) { return one.name == name && one.status == status; });
    });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<SerfMember> heard_ VCC_GUARDED_BY(mutex_);
};

/// Counts log lines by id.
class Counting final : public Logger {
 public:
  void write(Severity, std::string_view id, std::string_view, std::initializer_list<LogField>) override {
    const MutexLock lock(mutex_);
    ids_.emplace_back(id);
    changed_.notifyAll();
  }
  bool waitFor(const std::string& id, std::ptrdiff_t times = 1) {
    MutexLock lock(mutex_);
    return changed_.waitFor(lock, std::chrono::seconds(20),
                            [&]() VCC_REQUIRES(mutex_) { return std::ranges::count(ids_, id) >= times; });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> ids_ VCC_GUARDED_BY(mutex_);
};

/// Reads the three requests of a client.
void readRequests(int client) {
  const std::size_t size = serfHandshake(1).size() + serfStream(2).size() + serfRequest("members", 3).size();
  std::string all;
  char buffer[512];
  while (all.size() < size) {
    const ssize_t got = ::recv(client, buffer, std::min(sizeof buffer, size - all.size()), 0);
    if (got <= 0) return;
    all.append(buffer, static_cast<std::size_t>(got));
  }
  CHECK(all == serfHandshake(1) + serfStream(2) + serfRequest("members", 3));
}

}  // namespace

TEST_CASE("every kind of MessagePack value is skipped whole, and a piece of it is too short") {
  const std::vector<std::string> values{"\x05"s,
                                        "\xff"s,
                                        "\xc0"s,
                                        "\xc2"s,
                                        "\xc3"s,
                                        "\xca\x01\x02\x03\x04"s,
                                        "\xcb\x01\x02\x03\x04\x05\x06\x07\x08"s,
                                        "\xcc\x80"s,
                                        "\xcd\x01\x02"s,
                                        "\xce\x01\x02\x03\x04"s,
                                        "\xcf\x01\x02\x03\x04\x05\x06\x07\x08"s,
                                        "\xd0\x80"s,
                                        "\xd1\x80\x01"s,
                                        "\xd2\x80\x01\x02\x03"s,
                                        "\xd3\x80\x01\x02\x03\x04\x05\x06\x07"s,
                                        "\xa3"
                                        "abc"s,
                                        "\xd9\x03"
                                        "abc"s,
                                        "\xda\x00\x03"
                                        "abc"s,
                                        "\xdb\x00\x00\x00\x03"
                                        "abc"s,
                                        "\xc4\x02"
                                        "ab"s,
                                        "\xc5\x00\x02"
                                        "ab"s,
                                        "\xc6\x00\x00\x00\x02"
                                        "ab"s,
                                        "\xc7\x02\x01"
                                        "ab"s,
                                        "\xd4\x01"
                                        "a"s,
                                        "\xd8\x01"
                                        "0123456789abcdef"s,
                                        "\x92\x01\x92\x02\x03"s,
                                        "\xdc\x00\x02\x01\x02"s,
                                        "\xdd\x00\x00\x00\x01\x01"s,
                                        "\x81\xa1"
                                        "k\x91\x01"s,
                                        "\xde\x00\x01\xa1"
                                        "k\x01"s,
                                        "\xdf\x00\x00\x00\x01\xa1"
                                        "k\x01"s};
  for (const std::string& value : values) {
    CAPTURE(static_cast<int>(static_cast<std::uint8_t>(value[0])));
    const std::string more = value + "\x07";
    MsgpackReader whole(more);
    CHECK(whole.skip());
    CHECK(whole.taken() == value.size());
    CHECK(whole.number() == 7);
    for (std::size_t cut = 0; cut < value.size(); ++cut) {
      MsgpackReader piece(std::string_view(value).substr(0, cut));
      CHECK_FALSE(piece.skip());
      CHECK(piece.isShort());
    }
  }
}

TEST_CASE("a length that nothing follows costs nothing, and another type is an error") {
  for (const std::string& bytes : {"\xdd\xff\xff\xff\xff"s, "\xdf\xff\xff\xff\xff"s, "\xdb\xff\xff\xff\xff"s}) {
    MsgpackReader reader(bytes);
    CHECK_FALSE(reader.skip());
    CHECK(reader.isShort());
  }
  const std::string nested(1'000'000, '\x91');
  MsgpackReader deep(nested);
  CHECK_FALSE(deep.skip());
  CHECK(deep.isShort());
  MsgpackReader unused("\xc1");
  CHECK_FALSE(unused.skip());
  CHECK(unused.failed());
  CHECK_FALSE(unused.isShort());
  MsgpackReader wrong("\x01");
  CHECK_FALSE(wrong.text());
  CHECK(wrong.failed());
  CHECK_FALSE(wrong.number());  // it stays failed
}

TEST_CASE("messages of an agent are read one by one, whole or not at all") {
  const std::string all =
      header(3) + members({member("v:u:1", "alive"), member("v:u:2", "failed"), member("v:u:3", "left"),
                           member("v:u:4", "leaving"), member("", "alive"), member(std::string(257, 'x'), "alive")});
  SerfMessage message;
  auto taken = readMessage(all + header(1), message);
  REQUIRE(taken.ok());
  CHECK(*taken == all.size());
  REQUIRE(message.members.size() == 3);
  CHECK(message.members[0].name == "v:u:1");
  CHECK(message.members[0].status == MemberStatus::kAlive);
  CHECK(message.members[1].status == MemberStatus::kFailed);
  CHECK(message.members[2].status == MemberStatus::kLeft);
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    taken = readMessage(all.substr(0, cut), message);
    REQUIRE(taken.ok());
    CHECK(*taken == 0);
  }
  // The event says what has happened, whatever the member's own status is by then.
  REQUIRE(readMessage(header(2) + event("member-failed", {member("v:u:1", "alive")}), message).ok());
  REQUIRE(message.members.size() == 1);
  CHECK(message.members[0].status == MemberStatus::kFailed);
  taken = readMessage(header(3, "Invalid command"), message);
  REQUIRE(taken.ok());
  CHECK(*taken > 0);
  CHECK(message.error == "Invalid command");
  CHECK_FALSE(readMessage("HTTP/1.1 400 Bad Request\r\n", message).ok());
}

TEST_CASE("a client hears all members, then events, and connects again") {
  std::atomic<int> connections{0};
  FakeServer agent([&](int client) {
    readRequests(client);
    const int number = ++connections;
    // In pieces, as a network may deliver it.
    const std::string stream = header(1) + header(2) + header(3) +
                               members({member(fmt::format("v:u:{}", number), "alive")}) + header(2) +
                               event("member-failed", {member(fmt::format("v:e:{}", number), "failed")});
    for (const char c : stream) FakeServer::say(client, std::string_view(&c, 1));
    if (number > 1) FakeServer::waitForEnd(client);
  });
  const SystemClock clock;
  Counting log;
  Listener listener;
  auto client = SerfClient::start(fmt::format("127.0.0.1:{}", agent.port), clock, log, listener.report());
  REQUIRE_MESSAGE(client.ok(), client.status().toString());
  CHECK(listener.waitFor("v:u:1", MemberStatus::kAlive));
  CHECK(listener.waitFor("v:e:1", MemberStatus::kFailed));
  CHECK(log.waitFor("SERF_LOST"));
  CHECK(listener.waitFor("v:e:2", MemberStatus::kFailed));
  CHECK(log.waitFor("SERF_CONNECTED", 2));
  CHECK((*client)->isConnected());
}

TEST_CASE("no agent, and what is none, is said once and hurts nobody") {
  const SystemClock clock;
  Counting log;
  Listener listener;
  int port = 0;
  SUBCASE("closed") {
    port = FakeServer([](int) {}).port;
  }
  std::unique_ptr<FakeServer> server;
  SUBCASE("a web server") {
    server = std::make_unique<FakeServer>([](int client) {
      FakeServer::say(client, "HTTP/1.1 400 Bad Request\r\n\r\n");
      FakeServer::waitForEnd(client);
    });
    port = server->port;
  }
  SUBCASE("an agent that wants a key") {
    server = std::make_unique<FakeServer>([](int client) {
      FakeServer::say(client, header(1) + header(2, "Authentication required"));
      FakeServer::waitForEnd(client);
    });
    port = server->port;
  }
  auto client = SerfClient::start(fmt::format("127.0.0.1:{}", port), clock, log, listener.report());
  REQUIRE(client.ok());
  CHECK(log.waitFor("SERF_ABSENT"));
  CHECK_FALSE((*client)->isConnected());
}

TEST_CASE("what is no address is refused") {
  const SystemClock clock;
  NullLogger log;
  for (const char* address :
       {"127.0.0.1", "localhost:7373", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:1x"}) {
    CAPTURE(address);
    CHECK(SerfClient::start(address, clock, log, [](std::vector<SerfMember>) {}).status().code() ==
          Code::kInvalidArgument);
  }
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "support/engine_rig.h"
#include "support/text.h"

namespace vcc::test {

using Targets = std::map<std::string, ProbeTarget>;

class FakeProber final : public Prober {
 public:
  explicit FakeProber(Targets& targets) : targets_(targets) { targets_.clear(); }
  void watch(const std::string& id, const ProbeTarget& target) override { targets_[id] = target; }
  void forget(const std::string& id) override { targets_.erase(id); }

 private:
  Targets& targets_;
};

inline constexpr char kServers[] = "cci_version: '1.0'\nfake:\n  default: {}\n";

/// Running nodes of one unit on real hosts: existing servers, or machines of a cloud.
struct WatchRig : EngineRig {
  Targets targets;
  ProbeReport report;
  std::string vcid;

  explicit WatchRig(int count, bool servers = true, const std::string& catalog_yaml = kServers)
      : EngineRig(servers ? catalog_yaml
                          : "cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/24\n") {
    driver->facts.simulated_hosts = false;
    std::string params;
    if (servers) {
      driver->facts.existence = Existence::kAsserted;
      driver->script = [this](const std::string&, const CallContext&, const MachineRef& ref) {
        driver->cloud[ref.name] = {.id = ref.requested_address, .address = ref.requested_address};
        return FakeDriver::Fate{};
      };
      params = "        user_name: admin\n        ip_address_list: [";
      for (int i = 1; i <= count; ++i) params += fmt::format("{}'192.168.5.{}'", i > 1 ? ", " : "", i);
      params += "]\n";
    }
    makes_prober = [this](ProbeReport heard) {
      report = std::move(heard);
      return std::make_unique<FakeProber>(targets);
    };
    restart();
    vcid = newVc();
    const Status added = commands->addUnit(caller, vcid, "web", unitCci("web", count, params));
    REQUIRE_MESSAGE(added.ok(), added.toString());
    REQUIRE(runUntil([&] { return this->count(State::kRunning) == nodes().size() && nodes().size() == size(count); }));
    pass(3000);
    host.calls.clear();
  }

  static std::size_t size(int number) { return static_cast<std::size_t>(number); }
  void pass(std::int64_t ms) {
    runUntil([] { return false; }, ms);
  }
  Node node(std::int64_t number = 1) const {
    for (const Node& one : nodes()) {
      if (one.node_no == number) return one;
    }
    FAIL("no such node");
    return {};
  }
  std::string address(std::int64_t number = 1) const {
    const std::string machine_id = node(number).machine_id;
    for (const Machine& machine : machines()) {
      if (machine.machine_id == machine_id) return machine.address;
    }
    return {};
  }
  FoundContainer& container(std::int64_t number = 1) { return host.containers[address(number)].front(); }
  /// A probe of the port of the container ('r') or of the host ('s').
  void say(char part, bool answers, std::int64_t number = 1) {
    report({{node(number).node_id + part, answers, answers ? "" : "connection refused"}});
    decider->pump();
  }
  /// The host is away, with everything on it.
  void lose(std::int64_t number = 1) {
    host.unreachable[address(number)] = Status(Code::kUnavailable, "connect: no answer", Outcome::kNotApplied);
    say('s', false, number);
    say('r', false, number);
  }
  void giveBack(std::int64_t number = 1) {
    host.unreachable.erase(address(number));
    say('s', true, number);
    say('r', true, number);
  }
  void allAnswer() {
    for (const Node& one : nodes()) {
      say('s', true, one.node_no);
      say('r', true, one.node_no);
    }
    host.calls.clear();
  }
  std::size_t looks() const { return static_cast<std::size_t>(std::ranges::count(host.calls, std::string("inspect"))); }
  bool ever(const std::string& state) const {
    return std::ranges::any_of(events(),
                               [&](const std::string& e) { return e.find("> " + state) != std::string::npos; });
  }
  bool becomes(State state, std::int64_t within_ms, std::int64_t number = 1) {
    return runUntil([&] { return node(number).state == state; }, within_ms);
  }
  std::string fault(std::int64_t number = 1) const { return node(number).fault.text; }
  std::string monitorOf(std::int64_t number) {
    const auto check = decider->startCheck(vcid);
    REQUIRE(check.ok());
    std::string monitor;
    REQUIRE(runUntil([&] {
      const auto result = decider->checkReport(*check);
      if (!result.ok() || !result->done) return false;
      for (const CheckLine& line : result->lines) {
        if (line.node_no == number) monitor = line.monitor;
      }
      return true;
    }));
    return monitor;
  }
};

}  // namespace vcc::test

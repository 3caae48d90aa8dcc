// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugin_host/driver.h"

namespace vcc::test {

/// A cloud in memory behind the Driver interface, for tests of the engine on one thread. Machines are keyed by name;
/// `script` may replace the answer to a call, after the call took effect or instead of it.
class FakeDriver : public Driver {
 public:
  struct CloudMachine {
    std::string id;
    std::string address;
    MachineState state = MachineState::kRunning;
  };
  /// What is to happen to one item of one call. Default: it works.
  struct Fate {
    bool apply = true;             ///< does the cloud do it
    Status error;                  ///< what the caller hears; ok = the truth
    bool silent = false;           ///< the item gets no answer at all
    std::int64_t pending_ms = -1;  ///< >= 0: PENDING
    std::string reason;            ///< of that
  };
  using Script = std::function<Fate(const std::string& call, const CallContext& context, const MachineRef& ref)>;

  DriverInfo facts;
  Script script;
  std::map<std::string, CloudMachine> cloud;
  std::vector<std::string> calls;   ///< "create x3", in order
  std::vector<std::string> tokens;  ///< op ids of creates
  std::vector<std::string> probed;  ///< credentials of probes
  Status probe_answer;
  Status look_error;  ///< of every look
  int observe_calls = 0;
  int blind_looks = 0;  ///< so many looks at a machine find nothing although it is there: a cloud whose reads lag
  int list_calls = 0;
  std::optional<std::size_t> list_cut;  ///< a list shows so many machines, and is not complete
  Status list_error;                    ///< what a list ends with
  MachineState boots_as = MachineState::kRunning;
  Code boot_failure = Code::kOk;  ///< of machines in kFailed

  FakeDriver() {
    facts.id = "test.fake";
    facts.provider = "fake";
    facts.version = "1.0";
    facts.idempotency = Idempotency::kToken;
    facts.token_ttl_ms = 3600000;
    facts.lookup_lag_ms = 1000;
    facts.max_batch = 10;
    facts.max_observe = 100;
    facts.simulated_hosts = true;
    facts.can_power = true;
  }

  const DriverInfo& info() const override { return facts; }
  Status validate(const std::string& cloud_params, const std::string&) override {
    return cloud_params.find("\"bad\"") == std::string::npos ? okStatus()
                                                             : invalidArgument("/cloud_params/bad: is not allowed");
  }
  Status probe(const CallContext& context) override {
    const std::lock_guard<std::mutex> lock(probe_mutex_);  // probes come from threads of their own
    probed.push_back(context.credentials.reveal());
    return probe_answer;
  }

  std::vector<ItemResult> create(const CallContext& context, const std::string&,
                                 const std::vector<MachineRef>& items) override {
    tokens.push_back(context.op_id);
    return each("create", context, items, [this](const MachineRef& ref, ItemResult& result) {
      auto [it, fresh] = cloud.try_emplace(ref.name);
      if (fresh) {
        it->second.id = fmt::format("i-{}", ++made_);
        it->second.address = ref.requested_address.empty() ? fmt::format("10.0.0.{}", made_) : ref.requested_address;
        it->second.state = boots_as;
      }
      result.cloud_id = it->second.id;
    });
  }

  std::vector<ItemResult> destroy(const CallContext& context, const std::vector<MachineRef>& items) override {
    return each("destroy", context, items, [this](const MachineRef& ref, ItemResult&) { cloud.erase(ref.name); });
  }

  std::vector<ItemResult> power(const CallContext& context, bool on, const std::vector<MachineRef>& items) override {
    return each(on ? "power_on" : "power_off", context, items, [this, on](const MachineRef& ref, ItemResult& result) {
      const auto it = cloud.find(ref.name);
      if (it != cloud.end()) {
        it->second.state = on ? MachineState::kRunning : MachineState::kStopped;
      } else {
        result.state = ItemState::kFailed;
        result.error = Status(Code::kNotFound, ref.name + " does not exist", Outcome::kNotApplied);
      }
    });
  }

  std::vector<Observation> observe(const CallContext&, const std::vector<MachineRef>& refs) override {
    ++observe_calls;
    std::vector<Observation> seen(refs.size());
    for (std::size_t i = 0; i < refs.size(); ++i) {
      seen[i].error = look_error;
      if (!look_error.ok()) continue;
      const auto it = cloud.find(refs[i].name);
      seen[i].found = it != cloud.end() && blind_looks == 0;
      if (blind_looks > 0) --blind_looks;
      if (!seen[i].found) continue;
      seen[i].cloud_id = it->second.id;
      seen[i].address = it->second.address;
      seen[i].state = it->second.state;
      if (seen[i].state == MachineState::kFailed) seen[i].failure = boot_failure;
    }
    return seen;
  }

  Status list(const CallContext&, const std::function<void(const Observation&)>& visit, bool* complete) override {
    ++list_calls;
    *complete = facts.can_list && !list_cut && list_error.ok();
    if (!facts.can_list) return unimplemented("fake");
    std::size_t left = list_cut.value_or(cloud.size());
    for (const auto& [name, machine] : cloud) {
      if (left-- == 0) break;
      Observation seen;
      seen.found = true;
      seen.name = name;
      seen.cloud_id = machine.id;
      seen.address = machine.address;
      seen.state = machine.state;
      visit(seen);
    }
    return list_error;
  }

 protected:
  std::vector<ItemResult> each(const std::string& call, const CallContext& context,
                               const std::vector<MachineRef>& items,
                               const std::function<void(const MachineRef&, ItemResult&)>& effect) {
    calls.push_back(fmt::format("{} x{}", call, items.size()));
    std::vector<ItemResult> results(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Fate fate = script ? script(call, context, items[i]) : Fate{};
      results[i].state = ItemState::kDone;
      if (fate.apply) effect(items[i], results[i]);
      if (fate.pending_ms >= 0) {
        results[i].state = ItemState::kPending;
        results[i].retry_after_ms = fate.pending_ms;
        results[i].reason = fate.reason;
      }
      if (!fate.error.ok()) {
        results[i] = {};
        results[i].error = fate.error;
      }
      if (fate.silent) results[i] = {.error = Status(Code::kUnknown, "no answer", Outcome::kUnknown)};
    }
    return results;
  }

 private:
  std::mutex probe_mutex_;
  int made_ = 0;
};

/// A registry of one driver instance "fake".
class FakeRegistry final : public DriverRegistry {
 public:
  explicit FakeRegistry(std::shared_ptr<Driver> driver) {
    DriverSlot slot;
    slot.instance = "fake";
    slot.providers = {"fake"};
    slot.driver = std::move(driver);
    slots_.push_back(std::move(slot));
  }
  std::vector<const DriverSlot*> slots() const override { return {&slots_.front()}; }
  const DriverSlot* byProvider(std::string_view provider) const override {
    const auto& served = slots_.front().providers;
    return std::ranges::find(served, provider) != served.end() ? &slots_.front() : nullptr;
  }
  void serve(const std::string& provider) { slots_.front().providers.push_back(provider); }
  const DriverSlot* byInstance(std::string_view instance) const override {
    return instance == "fake" ? &slots_.front() : nullptr;
  }
  /// Another driver, such as the first one with something around it.
  void replace(std::shared_ptr<Driver> driver) { slots_.front().driver = std::move(driver); }
  /// As if the plugin had been refused at start.
  void unload() {
    slots_.front().driver.reset();
    slots_.front().refusal = failedPrecondition("refused by the test");
  }

 private:
  std::vector<DriverSlot> slots_;
};

}  // namespace vcc::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/fake_clock.h"
#include "support/fake_driver.h"

namespace vcc::test {

/// A cloud without tokens where a machine is a server and then a disk, two requests. Names are not unique there: what
/// is asked for twice is made twice.
class TwoPartCloud final : public FakeDriver {
 public:
  struct Part {
    std::string kind;
    std::string name;
    std::string id;
    std::int64_t visible_at = 0;
  };
  std::vector<Part> parts;  ///< that exist, and are paid for
  int disks_made = 0;
  int lost_disk_answers = 0;       ///< so many answers to the disk's request never arrive ...
  std::int64_t lost_shows_ms = 0;  ///< ... and what it makes shows so much later
  bool lost_disk_is_made = true;   ///< ... if it is made at all
  std::function<void()> losing;    ///< what happens while such a request is under way

  explicit TwoPartCloud(const FakeClock& clock) : clock_(clock) {
    facts.idempotency = Idempotency::kLookup;
    facts.max_batch = 1;
  }

  std::vector<ItemResult> create(const CallContext& context, const std::string&,
                                 const std::vector<MachineRef>& items) override {
    calls.push_back(fmt::format("create x{}", items.size()));
    tokens.push_back(context.op_id);
    std::vector<ItemResult> results(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) results[i] = step(items[i]);
    return results;
  }

  std::vector<ItemResult> destroy(const CallContext&, const std::vector<MachineRef>& items) override {
    calls.push_back(fmt::format("destroy x{}", items.size()));
    std::vector<ItemResult> results(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::erase_if(parts, [&](const Part& p) { return p.name == items[i].name && visible(p); });
      results[i].state = ItemState::kDone;
    }
    return results;
  }

  std::vector<Observation> observe(const CallContext&, const std::vector<MachineRef>& refs) override {
    ++observe_calls;
    std::vector<Observation> seen(refs.size());
    for (std::size_t i = 0; i < refs.size(); ++i) {
      for (const Part& part : parts) {
        if (part.name != refs[i].name || !visible(part)) continue;
        seen[i].found = true;
        seen[i].resources.push_back({part.kind, part.name, part.id});
        if (part.kind == "server") seen[i].cloud_id = part.id;
      }
      const bool whole = seen[i].resources.size() >= 2;
      seen[i].state = whole ? MachineState::kRunning : MachineState::kProvisioning;
      seen[i].address = "10.0.0.1";
    }
    return seen;
  }

 private:
  bool visible(const Part& part) const { return clock_.monoMs() >= part.visible_at; }
  const Part* find(const std::string& kind, const std::string& name) const {
    const auto at = std::find_if(parts.begin(), parts.end(),
                                 [&](const Part& p) { return p.kind == kind && p.name == name && visible(p); });
    return at == parts.end() ? nullptr : &*at;
  }
  static void report(ItemResult& result, const Part& part) {
    result.resources.push_back({part.kind, part.name, part.id});
    if (part.kind == "server") result.cloud_id = part.id;
  }

  ItemResult step(const MachineRef& ref) {
    ItemResult result;
    result.state = ItemState::kPending;
    const Part* server = find("server", ref.name);
    if (!server) {
      parts.push_back({"server", ref.name, fmt::format("s-{}", ++made_), 0});
      report(result, parts.back());
      result.retry_after_ms = 200;
      return result;
    }
    report(result, *server);
    if (const Part* disk = find("disk", ref.name)) {
      report(result, *disk);
      result.state = ItemState::kDone;
      return result;
    }
    const bool lost = lost_disk_answers > 0;
    if (lost) --lost_disk_answers;
    if (lost && losing) losing();
    if (!lost || lost_disk_is_made) {
      ++disks_made;
      parts.push_back({"disk", ref.name, fmt::format("d-{}", ++made_), lost ? clock_.monoMs() + lost_shows_ms : 0});
      if (!lost) report(result, parts.back());
    }
    if (lost) {
      result.state = ItemState::kFailed;
      result.error = Status(Code::kUnavailable, "gateway time-out", Outcome::kUnknown);
    }
    return result;
  }

  const FakeClock& clock_;
  int made_ = 0;
};

/// A cloud where one request makes all machines of an op: bound by (token, index), never by name.
class BatchCloud final : public FakeDriver {
 public:
  struct Instance {
    std::string token;
    std::int64_t index = 0;
    bool alive = true;
  };
  std::vector<Instance> instances;
  int lost_answers = 0;       ///< so many answers to the request never arrive ...
  bool lost_is_made = false;  ///< ... nor, then, the request itself
  int unlike = 0;             ///< repeats of a token with another number of items

  BatchCloud() { facts.max_batch = 10; }

  std::size_t alive() const {
    return static_cast<std::size_t>(
        std::count_if(instances.begin(), instances.end(), [](const Instance& i) { return i.alive; }));
  }

  std::vector<ItemResult> create(const CallContext& context, const std::string&,
                                 const std::vector<MachineRef>& items) override {
    calls.push_back(fmt::format("create x{}", items.size()));
    const auto size = static_cast<std::size_t>(items.front().create_size);
    // Where all are known the request is answered, and nothing more is asked for.
    const bool asks = std::any_of(items.begin(), items.end(), [](const MachineRef& m) { return m.cloud_id.empty(); });
    if (asks && sizes_.try_emplace(context.op_id, items.size()).first->second != items.size()) ++unlike;
    std::vector<ItemResult> results(items.size());
    const bool lost = lost_answers > 0;
    if (lost) --lost_answers;
    const bool known =
        std::any_of(instances.begin(), instances.end(), [&](const Instance& i) { return i.token == context.op_id; });
    if (asks && !known && (!lost || lost_is_made)) {
      for (std::size_t k = 0; k < size; ++k) instances.push_back({context.op_id, static_cast<std::int64_t>(k)});
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (lost) {
        results[i].error = Status(Code::kUnavailable, "connection cut", Outcome::kUnknown);
        continue;
      }
      results[i].state = ItemState::kDone;
      results[i].cloud_id = idOf(context.op_id, items[i].create_index);
    }
    return results;
  }

  std::vector<ItemResult> destroy(const CallContext&, const std::vector<MachineRef>& items) override {
    calls.push_back(fmt::format("destroy x{}", items.size()));
    std::vector<ItemResult> results(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (Instance& instance : instances) {
        if (instance.token == items[i].create_op && instance.index == items[i].create_index) instance.alive = false;
      }
      results[i].state = ItemState::kDone;
    }
    return results;
  }

  std::vector<Observation> observe(const CallContext&, const std::vector<MachineRef>& refs) override {
    ++observe_calls;
    std::vector<Observation> seen(refs.size());
    for (std::size_t i = 0; i < refs.size(); ++i) {
      if (blind_looks > 0) {
        --blind_looks;
        continue;
      }
      for (const Instance& instance : instances) {
        if (instance.token != refs[i].create_op || instance.index != refs[i].create_index) continue;
        seen[i].found = true;
        seen[i].cloud_id = idOf(instance.token, instance.index);
        seen[i].address = "10.0.0.1";
        seen[i].state = instance.alive ? MachineState::kRunning : MachineState::kGone;
      }
    }
    return seen;
  }

 private:
  static std::string idOf(const std::string& token, std::int64_t index) {
    return fmt::format("i-{}-{}", token.substr(0, 8), index);
  }
  std::map<std::string, std::size_t> sizes_;  // by token: items of its first call
};

}  // namespace vcc::test

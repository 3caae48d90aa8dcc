// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "support/fake_driver.h"

namespace vcc::test {

/// A cloud with disks besides its machines. Without tokens, a disk that is asked for again by somebody who does not
/// know its id is made twice (`volumes` has both then, `made` counts).
class DiskCloud final : public FakeDriver {
 public:
  struct Volume {
    std::string id;
    std::string holder;  ///< cloud id of the machine
    MachineState state = MachineState::kRunning;
  };
  std::map<std::string, Volume> volumes;  ///< by name; those that are not ours by id
  MachineState makes_disks_as = MachineState::kRunning;
  bool clings = false;  ///< a disk hangs on to a machine that is gone until it is detached
  int made = 0;

  DiskCloud() {
    facts.offers_disks = true;
    facts.attach_needs = AttachNeeds::kAny;
    facts.disk_keys = {"volume_id"};
  }

  Status validateDisks(const std::string& cloud_params, const std::string&) override {
    return cloud_params.find("\"huge\"") == std::string::npos ? okStatus()
                                                              : invalidArgument("/cloud_params/size: is too large");
  }

  std::vector<ItemResult> create(const CallContext& context, const std::string& spec,
                                 const std::vector<MachineRef>& items) override {
    if (context.kind == UnitKind::kCompute) return FakeDriver::create(context, spec, items);
    specs.push_back(spec);
    return each("create_disk", context, items, [this](const MachineRef& ref, ItemResult& result) {
      const bool again = facts.idempotency == Idempotency::kLookup && ref.cloud_id.empty();
      const std::string name = again && volumes.contains(ref.name) ? fmt::format("{} again", ref.name) : ref.name;
      auto [it, fresh] = volumes.try_emplace(name);
      if (fresh) it->second = {fmt::format("vol-{}", ++made), "", makes_disks_as};
      result.cloud_id = it->second.id;
    });
  }

  std::vector<ItemResult> destroy(const CallContext& context, const std::vector<MachineRef>& items) override {
    if (context.kind == UnitKind::kCompute) {
      for (const MachineRef& item : items) {
        for (auto& [name, volume] : volumes) {
          if (!clings && volume.holder == item.cloud_id) volume.holder.clear();
        }
      }
      return FakeDriver::destroy(context, items);
    }
    return each("destroy_disk", context, items, [this](const MachineRef& ref, ItemResult& result) {
      const auto it = find(ref);
      if (it == volumes.end()) return;
      if (it->second.holder.empty()) {
        volumes.erase(it);
      } else {
        refuse(result, Code::kFailedPrecondition, "VolumeInUse");
      }
    });
  }

  std::vector<ItemResult> attach(const CallContext& context, bool on, const std::vector<MachineRef>& disks) override {
    return each(on ? "attach" : "detach", context, disks, [this, on](const MachineRef& ref, ItemResult& result) {
      const auto it = find(ref);
      const std::string& machine = ref.machine->cloud_id;
      if (!on) {
        if (it != volumes.end() && it->second.holder == machine) it->second.holder.clear();
      } else if (it == volumes.end()) {
        refuse(result, Code::kNotFound, "NoSuchVolume");
      } else if (facts.attach_needs == AttachNeeds::kOff && !isOff(ref.machine->name)) {
        refuse(result, Code::kFailedPrecondition, "server_power_must_be_down");
      } else if (it->second.holder.empty() || it->second.holder == machine) {
        it->second.holder = machine;
      } else {
        refuse(result, Code::kFailedPrecondition, "VolumeInUse");
      }
    });
  }

  std::vector<Observation> observe(const CallContext& context, const std::vector<MachineRef>& refs) override {
    if (context.kind == UnitKind::kCompute) return FakeDriver::observe(context, refs);
    std::vector<Observation> seen(refs.size());
    for (std::size_t i = 0; i < refs.size(); ++i) {
      const auto it = find(refs[i]);
      if (it == volumes.end()) continue;
      seen[i].found = true;
      seen[i].cloud_id = it->second.id;
      seen[i].state = it->second.state;
      seen[i].size_gib = 8;
      seen[i].holder = it->second.holder;
      seen[i].attached = !it->second.holder.empty();
    }
    return seen;
  }

  /// How often a call was made for any number of items.
  int count(const std::string& call) const {
    int found = 0;
    for (const std::string& made_call : calls) found += made_call.starts_with(call + " x") ? 1 : 0;
    return found;
  }

  std::vector<std::string> specs;  ///< of creates of disks

 private:
  bool isOff(const std::string& machine) const {
    const auto it = cloud.find(machine);
    return it != cloud.end() && it->second.state == MachineState::kStopped;
  }
  std::map<std::string, Volume>::iterator find(const MachineRef& ref) {
    for (auto it = volumes.begin(); it != volumes.end(); ++it) {
      if (ref.cloud_id.empty() ? it->first == ref.name : it->second.id == ref.cloud_id) return it;
    }
    return volumes.end();
  }
  static void refuse(ItemResult& result, Code code, const std::string& why) {
    result.state = ItemState::kFailed;
    result.error = Status(code, why, Outcome::kNotApplied);
    result.error.withProviderCode(why);
  }
};

}  // namespace vcc::test

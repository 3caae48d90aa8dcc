// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/lifecycle.h"
#include "secrets/grants.h"
#include "sim/world.h"

/// What the records say of settled machines and disks, against what their own drivers see of them in the end.
namespace vcc::sim {

namespace {

constexpr std::int64_t kLookDeadlineMs = 60'000;
constexpr std::int64_t kLookPatienceMs = 600'000;
/// Two rounds over settled machines, and the second look after the first.
constexpr std::int64_t kRoundsMs = 700'000;

/// A record with what a look at it found.
struct Subject {
  Node node;
  Machine machine;
  std::string credentials;
  std::string holder;  ///< of an attached disk: cloud id of the machine that is to have it
  Observation seen;
};

std::optional<MachineState> stateOf(const Node& node) {
  switch (node.state) {
    case State::kRunning:
    case State::kSuspended:
      return MachineState::kRunning;
    case State::kPowerOff:
      return MachineState::kStopped;
    default:
      return std::nullopt;
  }
}

/// Everything that rests in a state of which a cloud knows, with credentials that are still there.
std::vector<Subject> subjectsOf(const Store& store, const Sealer& sealer) {
  std::vector<Subject> subjects;
  store.read([&](const ReadTx& tx) {
    tx.nodes().scan([&](const Node& node) {
      const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
      const Grant* grant = machine == nullptr ? nullptr : tx.grants().find(machine->grant_id);
      if (grant == nullptr || grant->values.empty() || !stateOf(node)) return true;
      const auto credentials = openGrant(*grant, sealer);
      if (!credentials.ok()) return true;
      Subject subject{node, *machine, std::string(credentials->reveal()), {}, {}};
      const Attachment* tie = tx.attachments().find(node.node_id);
      if (tie != nullptr && tie->state == AttachState::kAttached) {
        const Machine* holder = tx.machines().find(tie->machine_id);
        if (holder != nullptr) subject.holder = holder->cloud_id;
      }
      subjects.push_back(std::move(subject));
      return true;
    });
  });
  return subjects;
}

void lookAt(const DriverRegistry& drivers, std::vector<Subject>& subjects) {
  for (Subject& subject : subjects) {
    CallContext context;
    context.deadline_ms = kLookDeadlineMs;
    context.catalog_entry = "{}";
    context.credentials = SecretString(subject.credentials);
    context.kind = subject.machine.kind;
    const DriverSlot* slot = drivers.byInstance(subject.machine.instance);
    subject.seen = slot->driver->observe(context, {refOf(subject.machine, 0)}).front();
  }
}

}  // namespace

void World::checkStates() {
  const auto in_trouble = [this] {
    std::vector<Node> nodes;
    store_->read([&](const ReadTx& tx) {
      tx.nodes().scan([&](const Node& node) {
        const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
        const bool lost = machine != nullptr && touched_.contains(machine->cloud_id);
        if (node.state == State::kHostError && !lost) nodes.push_back(node);
        return true;
      });
    });
    return nodes;
  };
  if (!touched_.empty() || !in_trouble().empty()) runUntil([] { return false; }, kRoundsMs);
  for (const Node& node : in_trouble()) {
    witness_.violation(fmt::format("node {} is HOST_ERROR, and nobody did anything to its machine: {}", node.node_id,
                                   node.fault.text));
  }
  auto subjects = std::make_shared<std::vector<Subject>>(subjectsOf(*store_, sealer_));
  bool looked = false;
  scheduler_.begin(
      controllers_.back()->life(), [this, subjects] { lookAt(controllers_.back()->drivers(), *subjects); },
      [&looked] { looked = true; });
  if (!runUntil([&looked] { return looked; }, kLookPatienceMs))
    return witness_.violation("a look at a cloud does not end");
  for (const Subject& subject : *subjects) {
    const Node& node = subject.node;
    const std::string what = fmt::format("node {} is {}", node.node_id, stateName(node.state));
    if (vanished_.contains(subject.machine.cloud_id)) {
      witness_.violation(fmt::format("{}, and its machine {} has vanished", what, subject.machine.cloud_id));
    }
    if (touched_.contains(subject.machine.cloud_id)) continue;
    const Observation& seen = subject.seen;
    const MachineState state = seen.error.ok() && seen.found ? seen.state : MachineState::kUnspecified;
    if (state != stateOf(node)) {
      witness_.violation(fmt::format("{}, and its cloud says {} of {}: {}", what, machineStateName(state),
                                     subject.machine.name, seen.error.toString()));
    }
    const bool serves = node.state == State::kRunning;
    const bool has_host = scenario_.hosts && subject.machine.kind == UnitKind::kCompute;
    if (has_host && node.state != State::kPowerOff && hosts_.runs(subject.machine.address, node.node_id) != serves) {
      witness_.violation(fmt::format("{}, and its container {}", what, serves ? "does not run" : "runs"));
    }
    const bool held = subject.holder.empty() || touched_.contains(subject.holder) || seen.holder == subject.holder;
    if (!held) {
      witness_.violation(
          fmt::format("{}, attached to {} by its record, and its cloud says '{}'", what, subject.holder, seen.holder));
    }
  }
}

}  // namespace vcc::sim

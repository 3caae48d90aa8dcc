// SPDX-License-Identifier: Apache-2.0
#include "engine/target_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "engine/lifecycle.h"
#include "model/json_tree.h"

namespace vcc {

namespace {

constexpr std::int64_t kTickMs = 5000;
constexpr int kAdvisorPort = 18083;

bool isError(State state) {
  return state == State::kHostError || state == State::kContainerError || state == State::kError;
}

/// A node whose base container is to run, and has run.
const Machine* exporterOf(const ReadTx& tx, const Node& node) {
  if (node.goal != Goal::kRunning || node.container_started == 0 || node.machine_id.empty()) return nullptr;
  if (node.state != State::kRunning && !isError(node.state)) return nullptr;
  const Machine* machine = tx.machines().find(node.machine_id);
  return machine != nullptr && !machine->address.empty() && !machine->want_destroy ? machine : nullptr;
}

std::string entryOf(const Vc& vc, const Unit& unit, const Node& node, const std::string& address, bool gpu) {
  std::string out = fmt::format("{{\"targets\": [\"{}:{}\"", address, kAdvisorPort);
  if (gpu) out += fmt::format(", \"{}:{}\"", address, kGpuPort);
  out += fmt::format(
      "], \"labels\": {{\"job\": \"basecontainer\", \"ugroup\": {}, \"unit\": {}, \"node_no\": \"{}\", \"node_id\": "
      "\"{}\", \"provider\": {}, \"container_group\": {}",
      quoteJson(vc.name), quoteJson(unit.name), node.node_no, node.node_id, quoteJson(unit.provider),
      quoteJson(vc.name + "-" + unit.name));
  if (isError(node.state)) out += fmt::format(", \"error\": \"{}\"", stateName(node.state));
  return out + "}}";
}

}  // namespace

std::string renderTargets(const ReadTx& tx, const Vc& vc,
                          const std::function<bool(const std::string& node_id)>& has_gpu) {
  std::string out;
  std::vector<Unit> units = unitsOf(tx, vc.vcid);
  std::ranges::sort(units, {}, &Unit::name);
  for (const Unit& unit : units) {
    if (unit.kind == UnitKind::kStorage) continue;
    std::vector<std::pair<const Node*, const Machine*>> nodes;
    tx.nodes().scan("unit_id", unit.unit_id, [&](const Node& node) {
      if (const Machine* machine = exporterOf(tx, node)) nodes.emplace_back(&node, machine);
      return true;
    });
    std::ranges::sort(nodes, {}, [](const auto& entry) { return entry.first->node_no; });
    for (const auto& [node, machine] : nodes) {
      out += out.empty() ? "" : ",\n";
      out += entryOf(vc, unit, *node, machine->address, has_gpu(node->node_id));
    }
  }
  return out;
}

void TargetFile::tick() {
  refresh();
  const std::string wanted = content();
  if (wanted == written_) return port_.later(kTickMs, [this] { tick(); });
  auto done = std::make_shared<Status>();
  port_.run(
      [this, done, wanted] { *done = port_.write(wanted); },
      [this, done, wanted] {
        if (done->ok()) {
          written_ = wanted;
          port_.log.debug("TARGETS_WRITTEN", "Prometheus finds the nodes as they are now", {{"bytes", wanted.size()}});
        } else if (!failed_) {
          port_.log.warn("TARGETS_WRITE_FAILED", done->message());
        }
        failed_ = !done->ok();
        port_.later(kTickMs, [this] { tick(); });
      });
}

/// Renders the groups that have changed, each in a view of its own.
void TargetFile::refresh() {
  if (gpu_version_ != port_.gpu_version()) groups_.clear();
  gpu_version_ = port_.gpu_version();
  std::set<std::string> present;
  std::vector<std::string> changed;
  port_.store.read([&](const ReadTx& tx) {
    tx.vcs().scan([&](const Vc& vc) {
      present.insert(vc.vcid);
      const auto known = groups_.find(vc.vcid);
      if (known == groups_.end() || known->second.version != vc.version) changed.push_back(vc.vcid);
      return true;
    });
  });
  std::erase_if(groups_, [&](const auto& entry) { return !present.contains(entry.first); });
  for (const std::string& vcid : changed) {
    port_.store.read([&](const ReadTx& tx) {
      if (const Vc* vc = tx.vcs().find(vcid)) groups_[vcid] = {vc->version, renderTargets(tx, *vc, port_.has_gpu)};
    });
  }
}

std::string TargetFile::content() const {
  std::string out = "[";
  for (const auto& [vcid, group] : groups_) {
    if (group.targets.empty()) continue;
    out += out.size() == 1 ? "\n" : ",\n";
    out += group.targets;
  }
  return out + "\n]\n";
}

}  // namespace vcc

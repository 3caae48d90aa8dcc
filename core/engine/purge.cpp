// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/commands.h"
#include "engine/deletion.h"
#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/sweep_records.h"
#include "model/doubt.h"

namespace vcc {

namespace {

/// "nic vcp-...-nic (eni-1), disk ... (vol-2)".
std::string partsOf(const Machine& machine) {
  std::string text;
  for (const Resource& part : machine.resources) {
    text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", part.kind, part.name, part.id);
  }
  return text;
}

std::string describe(const KnownObject& object) {
  const auto known = [](const std::string& text) { return text.empty() ? std::string("not known") : text; };
  const Machine& machine = object.machine;
  if (isDisk(machine)) {
    return fmt::format("{} {}: disk {}, id {}, parts: {}", object.provider, machine.network, machine.name,
                       known(machine.cloud_id), known(partsOf(machine)));
  }
  return fmt::format("{} {}: machine {}, id {}, address {}, parts: {}, container: {}", object.provider, machine.network,
                     machine.name, known(machine.cloud_id), known(machine.address), known(partsOf(machine)),
                     known(object.container));
}

/// How a container of the node is found on its machine; empty when none was ever wanted there.
std::string containerOf(const Node& node) {
  if (!node.container_id.empty()) return node.container_id;
  return node.container_spec_hash.empty() ? std::string() : "label vcp.node_id=" + node.node_id;
}

/// A machine that no cloud was ever asked for leaves nothing.
bool mayExist(const Machine& machine) {
  const bool asked = machine.create_size > 0 && !machine.open_op.empty();
  return !leavesNothing(machine) || inDoubt(machine) || asked;
}

template <typename AnyTx>
void reportUnit(AnyTx& tx, const Unit& unit, PurgeReport& report) {
  report.units += 1;
  report.nodes += static_cast<std::int64_t>(nodesOf(tx, unit.unit_id).size());
  const auto first = static_cast<std::ptrdiff_t>(report.objects.size());
  tx.machines().scan("unit_id", unit.unit_id, [&](const Machine& machine) {
    if (!mayExist(machine)) return true;
    KnownObject object{unit.name, 0, unit.provider, machine, "", !leavesNothing(machine)};
    if (const Node* node = tx.nodes().find(machine.node_id)) {
      object.node_no = node->node_no;
      if (node->machine_id == machine.machine_id) object.container = containerOf(*node);
    }
    report.objects.push_back(std::move(object));
    return true;
  });
  std::sort(report.objects.begin() + first, report.objects.end(),
            [](const KnownObject& a, const KnownObject& b) { return a.node_no < b.node_no; });
}

template <typename AnyTx>
Result<PurgeReport> reportVc(AnyTx& tx, const std::string& vcid) {
  const Vc* vc = tx.vcs().find(vcid);
  if (!vc) return notFound(fmt::format("UnitGroup {} does not exist", cleanUtf8(vcid, 64)));
  PurgeReport report;
  report.name = vc->name;
  report.owner = vc->owner;
  for (const Unit& unit : unitsOf(tx, vcid)) reportUnit(tx, unit, report);
  return report;
}

/// Erases what a VC in deletion still has, its open ops first: nobody resolves them any more.
Status dropRecords(Tx& tx, Random& random, const std::string& vcid, const PurgeReport& report, const std::string& by) {
  std::vector<std::string> ops;
  tx.ops().scan("vcid", vcid, [&](const Op& op) {
    ops.push_back(op.op_id);
    return true;
  });
  for (const std::string& op_id : ops) tx.ops().erase(op_id);
  for (const KnownObject& object : report.objects) {
    VCC_RETURN_IF_ERROR(recordEvent(
        tx,
        {.vcid = vcid,
         .object = isDisk(object.machine) ? fmt::format("disk {} of unit {}", object.node_no, object.unit)
                                          : fmt::format("machine of node {} of unit {}", object.node_no, object.unit),
         .object_id = object.machine.machine_id,
         .from = std::string(machineStateName(object.machine.observed)),
         .to = object.certain ? "left in the cloud" : "may appear in the cloud",
         .reason = describe(object),
         .op_id = object.machine.open_op}));
    if (!isDisk(object.machine)) {
      VCC_RETURN_IF_ERROR(leaveBehind(tx, random, object.machine,
                                      fmt::format("node {} of unit {} of UnitGroup {} ({}), purged by {}",
                                                  object.node_no, object.unit, report.name, vcid, by)));
    }
  }
  for (const Unit& unit : unitsOf(tx, vcid)) {
    std::vector<std::string> machines;
    tx.machines().scan("unit_id", unit.unit_id, [&](const Machine& machine) {
      machines.push_back(machine.machine_id);
      return true;
    });
    for (const std::string& machine_id : machines) eraseMachine(tx, machine_id);
    for (const Node& node : nodesOf(tx, unit.unit_id)) {
      VCC_RETURN_IF_ERROR(dropNode(tx, node, {"purged by " + by + ", what is in the cloud was left there", ""}));
    }
  }
  return okStatus();
}

std::string_view modeName(PurgeMode mode) { return mode == PurgeMode::kKeepCloud ? "keep cloud" : "delete"; }

}  // namespace

Result<PurgeReport> Commands::purgeVc(const std::string& vcid, PurgeMode mode, const std::string& by) {
  Result<PurgeReport> report = PurgeReport{};
  if (mode == PurgeMode::kLook) {
    seams_.store.read([&](const ReadTx& tx) { report = reportVc(tx, vcid); });
    return report;
  }
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    report = reportVc(tx, vcid);
    VCC_RETURN_IF_ERROR(report.status());
    VCC_RETURN_IF_ERROR(beginVcDeletion(tx, Vc(*tx.vcs().find(vcid)), by, touched));
    return mode == PurgeMode::kKeepCloud ? dropRecords(tx, seams_.random, vcid, *report, by) : okStatus();
  }));
  seams_.wake(touched);
  seams_.log.warn("ADMIN_PURGED", "an administrator purged a UnitGroup",
                  {{"vcid", vcid},
                   {"mode", modeName(mode)},
                   {"units", report->units},
                   {"nodes", report->nodes},
                   {"objects", report->objects.size()},
                   {"by", by}});
  if (mode != PurgeMode::kKeepCloud) return report;
  for (const KnownObject& object : report->objects) {
    seams_.log.warn("PURGE_LEFT_OBJECT", describe(object),
                    {{"vcid", vcid},
                     {"unit", object.unit},
                     {"node_no", object.node_no},
                     {"instance", object.machine.instance},
                     {"certain", object.certain ? "yes" : "no"}});
  }
  return report;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "model/aggregate.h"
#include "model/progress.h"

namespace vcc {
namespace {

Status noSuchVc(const std::string& vcid) {
  return notFound("UnitGroup " + cleanUtf8(vcid, 64) + " does not exist; `vcc list` shows those that do");
}

/// The nodes of a unit as they lie in the store, until the end of the transaction.
std::vector<const Node*> nodesIn(const ReadTx& tx, const Unit& unit) {
  std::vector<const Node*> nodes;
  tx.nodes().scan("unit_id", unit.unit_id, [&](const Node& node) {
    nodes.push_back(&node);
    return true;
  });
  return nodes;
}

std::vector<State> statesOf(const std::vector<const Node*>& nodes) {
  std::vector<State> states;
  for (const Node* node : nodes) states.push_back(node->state);
  return states;
}

/// What is computed of a VC from everything below it.
struct Tally {
  VcState state = VcState::kRunning;
  std::int64_t units = 0;
  std::int64_t nodes = 0;
};

Tally tally(const ReadTx& tx, const Vc& vc) {
  Tally sum;
  std::vector<State> units;
  bool pending = false;
  tx.units().scan("vcid", vc.vcid, [&](const Unit& unit) {
    const std::vector<State> nodes = statesOf(nodesIn(tx, unit));
    pending = pending || std::any_of(nodes.begin(), nodes.end(), isTransient);
    units.push_back(unitState(unit, nodes));
    sum.nodes += static_cast<std::int64_t>(nodes.size());
    return true;
  });
  sum.units = static_cast<std::int64_t>(units.size());
  sum.state = vcState(vc, units, pending);
  return sum;
}

void writeNode(JsonWriter& json, const ReadTx& tx, const Node& node) {
  const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
  const Op* op = machine == nullptr || machine->open_op.empty() ? nullptr : tx.ops().find(machine->open_op);
  json.beginObject();
  json.key("node_id").string(node.node_id);
  json.key("node_no").integer(node.node_no);
  json.key("state").string(stateName(node.state));
  json.key("goal").string(goalName(node.goal));
  json.key("outcome").string(outcomeName(nodeOutcome(node)));
  json.key("percent").integer(nodePercent(node));
  json.key("step").string(stepName(node.step));
  json.key("step_ms").integer(node.step_at);
  json.key("since_ms").integer(node.goal_at);
  json.key("attempts").integer(node.attempts + node.create_attempts);
  json.key("next_ms").integer(std::max(node.next_at, machine == nullptr ? node.create_at : 0));
  json.key("progress").string(node.progress);
  json.key("fault").string(node.fault.text);
  json.key("fault_ms").integer(node.fault.at);
  json.key("machine").string(machine == nullptr ? "" : machine->name);
  json.key("cloud_id").string(machine == nullptr ? "" : machine->cloud_id);
  json.key("address").string(machine == nullptr ? node.requested_address : machine->address);
  json.key("observed").string(machine == nullptr ? "" : machineStateName(machine->observed));
  json.key("op").string(op == nullptr ? "" : opVerbName(op->verb));
  json.endObject();
}

void writeUnit(JsonWriter& json, const ReadTx& tx, const Unit& unit) {
  std::vector<const Node*> nodes = nodesIn(tx, unit);
  std::sort(nodes.begin(), nodes.end(), [](const Node* a, const Node* b) { return a->node_no < b->node_no; });
  const UnitProgress progress = unitProgress(nodes);
  json.beginObject();
  json.key("name").string(unit.name);
  json.key("provider").string(unit.provider);
  json.key("network").string(unit.network);
  json.key("state").string(stateName(unitState(unit, statesOf(nodes))));
  json.key("verb").string(progress.verb);
  json.key("nodes").integer(static_cast<std::int64_t>(nodes.size()));
  json.key("reached").integer(progress.reached);
  json.key("failed").integer(progress.failed);
  json.key("percent").integer(progress.percent);
  json.key("fault").string(unit.fault.text);
  json.key("node").beginArray();
  for (const Node* node : nodes) writeNode(json, tx, *node);
  json.endArray();
  json.endObject();
}

void writeObject(JsonWriter& json, const KnownObject& object) {
  const Machine& machine = object.machine;
  json.beginObject();
  json.key("kind").string(machine.kind == UnitKind::kStorage ? "disk" : "machine");
  json.key("unit").string(object.unit);
  json.key("node_no").integer(object.node_no);
  json.key("provider").string(object.provider);
  json.key("instance").string(machine.instance);
  json.key("network").string(machine.network);
  json.key("name").string(machine.name);
  json.key("cloud_id").string(machine.cloud_id);
  json.key("address").string(machine.address);
  json.key("container").string(object.container);
  json.key("observed").string(machineStateName(machine.observed));
  json.key("certain").boolean(object.certain);
  json.key("resources").beginArray();
  for (const Resource& part : machine.resources) {
    json.beginObject();
    json.key("kind").string(part.kind).key("name").string(part.name).key("id").string(part.id);
    json.endObject();
  }
  json.endArray();
  json.endObject();
}

}  // namespace

Result<HttpAnswer> listVcs(const AdminSeams& seams, const ApiRequest& /*request*/) {
  JsonWriter json;
  json.beginObject().key("vcs").beginArray();
  seams.store.read([&](const ReadTx& tx) {
    tx.vcs().scan([&](const Vc& vc) {
      const Tally sum = tally(tx, vc);
      json.beginObject();
      json.key("vcid").string(vc.vcid);
      json.key("name").string(vc.name);
      json.key("owner").string(vc.owner);
      json.key("type").string(vc.kind == UnitKind::kStorage ? "storage" : "compute");
      json.key("state").string(vcStateName(sum.state));
      json.key("units").integer(sum.units);
      json.key("nodes").integer(sum.nodes);
      json.key("cdate").string(formatUtc(vc.created_at));
      json.endObject();
      return true;
    });
  });
  json.endArray();
  writeConditions(json, seams, "");
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> showProgress(const AdminSeams& seams, const ApiRequest& request) {
  const std::string& vcid = request.params[0];
  bool found = false;
  JsonWriter json;
  seams.store.read([&](const ReadTx& tx) {
    const Vc* vc = tx.vcs().find(vcid);
    found = vc != nullptr;
    if (!found) return;
    json.beginObject();
    json.key("vcid").string(vcid);
    json.key("name").string(vc->name);
    json.key("owner").string(vc->owner);
    json.key("state").string(vcStateName(tally(tx, *vc).state));
    json.key("now_ms").integer(tx.now());
    json.key("units").beginArray();
    tx.units().scan("vcid", vcid, [&](const Unit& unit) {
      writeUnit(json, tx, unit);
      return true;
    });
    json.endArray();
  });
  if (!found) return noSuchVc(vcid);
  writeConditions(json, seams, vcid);
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> purgeVc(const AdminSeams& seams, const ApiRequest& request) {
  const std::string& vcid = request.params[0];
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const bool keep_cloud, body.flag("keep_cloud", false));
  VCC_ASSIGN_OR_RETURN(const bool dry_run, body.flag("dry_run", false));
  const PurgeMode mode = dry_run ? PurgeMode::kLook : keep_cloud ? PurgeMode::kKeepCloud : PurgeMode::kDelete;
  VCC_ASSIGN_OR_RETURN(const PurgeReport report,
                       seams.commands.purgeVc(vcid, mode, "administrator (" + request.peer + ")"));
  JsonWriter json;
  json.beginObject();
  json.key("vcid").string(vcid);
  json.key("name").string(report.name);
  json.key("owner").string(report.owner);
  json.key("units").integer(report.units);
  json.key("nodes").integer(report.nodes);
  json.key("objects").beginArray();
  for (const KnownObject& object : report.objects) writeObject(json, object);
  json.endArray();
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

}  // namespace vcc

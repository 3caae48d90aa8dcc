// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/render.h"

#include <algorithm>
#include <vector>

#include "api/json_writer.h"
#include "base/clock.h"
#include "engine/disk_ties.h"
#include "model/aggregate.h"
#include "model/cci.h"
#include "secrets/sealed_records.h"

namespace vcc {
namespace {

constexpr std::size_t kFaultsShown = 20;  // node faults repeated in the unit's text

std::string kindName(UnitKind kind) { return kind == UnitKind::kStorage ? "storage" : "compute"; }

/// The disks that hang on the node's machine (spec/rest-protocol 7.3).
void writeVolumes(JsonWriter& json, const ReadTx& tx, const Node& node) {
  json.key("volumes").beginArray();
  for (const Attachment& tie : attachmentsOf(tx, node.node_id)) {
    if (tie.state != AttachState::kAttached) continue;
    const Node* disk = tx.nodes().find(tie.disk);
    const Machine* volume = disk == nullptr ? nullptr : tx.machines().find(disk->machine_id);
    json.beginObject();
    json.key("volume_id").string(volume == nullptr ? tie.volume_id : volume->cloud_id);
    json.endObject();
  }
  json.endArray();
}

void writeNode(JsonWriter& json, const ReadTx& tx, const Vc& vc, const Unit& unit, const Node& node) {
  const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
  const bool addressed = machine != nullptr && !machine->address.empty();
  json.beginObject();
  json.key("node_no").integer(node.node_no);
  json.key("node_id").string(node.node_id);
  json.key("name").string(vc.name + "-" + unit.name + "-" + std::to_string(node.node_no));
  json.key("state").string(stateName(node.state));
  json.key("cloud_instance_address").string(addressed ? machine->address : node.requested_address);
  json.key("cloud_instance_id").string(machine != nullptr ? machine->cloud_id : "");
  writeVolumes(json, tx, node);
  json.key("boot_date").string(formatUtc(node.boot_at));
  json.key("container_date").string(formatUtc(node.container_started));
  json.key("watch_mode").boolean(node.watch_mode);
  json.key("error_message").string(faultLines(node.fault));
  json.endObject();
}

/// A disk of a storage unit (spec/rest-protocol 7.4). In use from the moment that a node is to have it.
void writeDisk(JsonWriter& json, const ReadTx& tx, const Vc& vc, const Unit& unit, const Node& disk) {
  const Machine* volume = disk.machine_id.empty() ? nullptr : tx.machines().find(disk.machine_id);
  json.beginObject();
  json.key("disk_no").integer(disk.node_no);
  json.key("disk_id").string(disk.node_id);
  json.key("name").string(vc.name + "-" + unit.name + "-" + std::to_string(disk.node_no));
  json.key("state").string(stateName(disk.state));
  json.key("in_use").boolean(tx.attachments().find(disk.node_id) != nullptr);
  json.key("cdate").string(volume != nullptr ? formatUtc(volume->created_at) : "");
  json.key("cloud_disk_id").string(volume != nullptr ? volume->cloud_id : "");
  json.key("cloud_disk_size").integer(volume != nullptr ? volume->size_gib : 0);
  json.key("error_message").string(faultLines(disk.fault));
  json.endObject();
}

void writeMember(JsonWriter& json, const ReadTx& tx, const Vc& vc, const Unit& unit, const Node& member) {
  unit.kind == UnitKind::kStorage ? writeDisk(json, tx, vc, unit, member) : writeNode(json, tx, vc, unit, member);
}

std::vector<const Node*> nodesInOrder(const ReadTx& tx, const std::string& unit_id) {
  std::vector<const Node*> nodes;
  tx.nodes().scan("unit_id", unit_id, [&](const Node& node) {
    nodes.push_back(&node);
    return true;
  });
  std::sort(nodes.begin(), nodes.end(), [](const Node* a, const Node* b) { return a->node_no < b->node_no; });
  return nodes;
}

/// The unit's own fault, then those of its nodes in ERROR: the client shows only the unit's text when the unit fails.
std::string unitError(const Unit& unit, const std::vector<const Node*>& nodes) {
  std::string text = faultLines(unit.fault);
  std::size_t shown = 0;
  std::size_t more = 0;
  std::int64_t latest = 0;  // of those that are not shown
  for (const Node* node : nodes) {
    if (node->state != State::kError || node->fault.text.empty()) continue;
    if (++shown > kFaultsShown) {
      ++more;
      latest = std::max(latest, node->fault.at);
      continue;
    }
    if (!text.empty()) text += '\n';
    const std::string member = std::string(memberNoun(unit.kind)) + " " + std::to_string(node->node_no);
    text += faultLines({node->fault.at, member + ": " + node->fault.text});
  }
  if (more > 0) {
    const std::string rest = "... and " + std::to_string(more) + " more " + std::string(memberNoun(unit.kind)) +
                             "s; see their own error_message";
    text += '\n' + faultLines({latest, rest});
  }
  return text;
}

std::string infoOf(const Unit& unit, const RenderContext& context) {
  const Result<UnitCci> cci = openCci(context.sealer, unit);
  if (!cci.ok()) {
    context.log.warn("RENDER_SPEC_UNREADABLE", cci.status().message(), {{"vcid", unit.vcid}, {"unit", unit.name}});
    return {};
  }
  const Driver* driver = driverOf(context.drivers, unit.instance);
  static const std::vector<std::string> kNone;
  return maskedInfo(*cci, driver == nullptr ? kNone : driver->info().clear_keys);
}

State writeUnit(JsonWriter& json, const ReadTx& tx, const Vc& vc, const Unit& unit,
                const std::vector<const Node*>& nodes, const RenderContext& context) {
  std::vector<State> states;
  states.reserve(nodes.size());
  for (const Node* node : nodes) states.push_back(node->state);
  const State state = unitState(unit, states);
  json.beginObject();
  json.key("name").string(unit.name);
  json.key("type").string(kindName(unit.kind));
  json.key("provider").string(unit.provider);
  json.key("private_network").string(unit.network);
  json.key("state").string(stateName(state));
  json.key("cdate").string(formatUtc(unit.created_at));
  json.key("error_message").string(unitError(unit, nodes));
  json.key("info").string(infoOf(unit, context));
  json.key(unit.kind == UnitKind::kStorage ? "disk" : "node").beginArray();
  for (const Node* node : nodes) writeMember(json, tx, vc, unit, *node);
  json.endArray();
  json.endObject();
  return state;
}

std::vector<const Unit*> unitsInOrder(const ReadTx& tx, const std::string& vcid) {
  std::vector<const Unit*> units;
  tx.units().scan("vcid", vcid, [&](const Unit& unit) {
    units.push_back(&unit);
    return true;
  });
  std::sort(units.begin(), units.end(), [](const Unit* a, const Unit* b) {
    return a->created_at != b->created_at ? a->created_at < b->created_at : a->name < b->name;
  });
  return units;
}

}  // namespace

std::string faultLines(const Fault& fault) {
  if (fault.text.empty()) return {};
  const std::string prefix = formatUtc(fault.at) + ": ";
  std::string out = prefix;
  for (std::size_t i = 0; i < fault.text.size(); ++i) {
    out += fault.text[i];
    if (fault.text[i] == '\n' && i + 1 < fault.text.size()) out += prefix;
  }
  return out;
}

const Driver* driverOf(const DriverRegistry& drivers, const std::string& instance) {
  const DriverSlot* slot = drivers.byInstance(instance);
  return slot == nullptr ? nullptr : slot->driver.get();
}

RenderedVc renderVc(const ReadTx& tx, const Vc& vc, const RenderContext& context) {
  RenderedVc rendered;
  rendered.version = vc.version;
  JsonWriter units;
  units.beginArray();
  std::vector<State> states;
  bool pending = false;
  for (const Unit* unit : unitsInOrder(tx, vc.vcid)) {
    const std::vector<const Node*> nodes = nodesInOrder(tx, unit->unit_id);
    for (const Node* node : nodes) pending = pending || isTransient(node->state);
    // Before it is rendered: a driver that comes meanwhile costs a second rendering, and never a stale one.
    if (driverOf(context.drivers, unit->instance) == nullptr) rendered.absent_drivers.insert(unit->instance);
    JsonWriter text;
    states.push_back(writeUnit(text, tx, vc, *unit, nodes, context));
    const std::size_t length = text.size();
    units.raw(text.take());
    rendered.units[unit->name] = {units.size() - length, length};
  }
  units.endArray();

  JsonWriter json;
  json.beginObject();
  json.key("vcc_id").string(context.vcc_id);
  json.key("vcid").string(vc.vcid);
  json.key("vcno").integer(vc.vcno);
  json.key("type").string(kindName(vc.kind));
  json.key("name").string(vc.name);
  json.key("description").string(vc.description);
  json.key("owner").string(vc.owner);
  json.key("state").string(vcStateName(vcState(vc, states, pending)));
  json.key("cdate").string(formatUtc(vc.created_at));
  json.key("error_message").string("");
  json.key("unit");
  const std::size_t begin = json.size();
  json.raw(units.take());
  json.endObject();
  for (auto& [name, slice] : rendered.units) slice.offset += begin;
  rendered.json = json.take();
  return rendered;
}

std::string renderNode(const ReadTx& tx, const Vc& vc, const Unit& unit, const Node& node) {
  JsonWriter json;
  writeMember(json, tx, vc, unit, node);
  return json.take();
}

}  // namespace vcc

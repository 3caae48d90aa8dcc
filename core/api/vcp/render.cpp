// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/render.h"

#include <algorithm>
#include <string_view>
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

std::string infoOf(const Unit& unit, const Driver* driver, const RenderContext& context) {
  const Result<UnitCci> cci = openCci(context.sealer, unit);
  if (!cci.ok()) {
    context.log.warn("RENDER_SPEC_UNREADABLE", cci.status().message(), {{"vcid", unit.vcid}, {"unit", unit.name}});
    return {};
  }
  static const std::vector<std::string> kNone;
  return maskedInfo(*cci, driver == nullptr ? kNone : driver->info().clear_keys);
}

/// True when the text of the member tells of attachments.
bool isTied(const ReadTx& tx, const Unit& unit, const Node& member) {
  return unit.kind == UnitKind::kStorage ? tx.attachments().find(member.node_id) != nullptr
                                         : tx.attachments().count("node_id", member.node_id) > 0;
}

/// A unit of the VC as the store has it now.
struct UnitView {
  const Unit* unit = nullptr;
  std::vector<const Node*> nodes;
  State state = State::kRunning;
};

std::vector<UnitView> unitsInOrder(const ReadTx& tx, const std::string& vcid) {
  std::vector<UnitView> views;
  tx.units().scan("vcid", vcid, [&](const Unit& unit) {
    views.push_back({&unit, {}, State::kRunning});
    return true;
  });
  std::sort(views.begin(), views.end(), [](const UnitView& a, const UnitView& b) {
    return a.unit->created_at != b.unit->created_at ? a.unit->created_at < b.unit->created_at
                                                    : a.unit->name < b.unit->name;
  });
  for (UnitView& view : views) {
    view.nodes = nodesInOrder(tx, view.unit->unit_id);
    std::vector<State> states;
    states.reserve(view.nodes.size());
    for (const Node* node : view.nodes) states.push_back(node->state);
    view.state = unitState(*view.unit, states);
  }
  return views;
}

VcState stateOf(const Vc& vc, const std::vector<UnitView>& views) {
  std::vector<State> states;
  bool pending = false;
  for (const UnitView& view : views) {
    states.push_back(view.state);
    pending = pending || std::any_of(view.nodes.begin(), view.nodes.end(),
                                     [](const Node* node) { return isTransient(node->state); });
  }
  return vcState(vc, states, pending);
}

/// Writes the units of a VC, from the records or from an earlier text.
class UnitWriter {
 public:
  UnitWriter(JsonWriter& json, const ReadTx& tx, const Vc& vc, const RenderContext& context, const RenderedVc* before)
      : json_(json), tx_(tx), vc_(vc), context_(context), before_(before) {}

  /// `first`: in its array.
  RenderedUnit write(const UnitView& view, bool first) {
    const Unit& unit = *view.unit;
    const RenderedUnit* const old = earlier(unit);
    RenderedUnit rendered;
    rendered.unit = tx_.units().share(unit.unit_id);
    // Once: a driver that comes meanwhile costs a second rendering, and never a stale one.
    rendered.driver = driverOf(context_.drivers, unit.instance);
    const std::size_t begin = json_.size() + (first ? 0 : 1);  // behind the comma
    json_.beginObject();
    json_.key("name").string(unit.name);
    json_.key("type").string(kindName(unit.kind));
    json_.key("provider").string(unit.provider);
    json_.key("private_network").string(unit.network);
    json_.key("state").string(stateName(view.state));
    json_.key("cdate").string(formatUtc(unit.created_at));
    json_.key("error_message").string(unitError(unit, view.nodes));
    json_.key("info");
    rendered.info.offset = json_.size();
    if (old != nullptr && old->unit == rendered.unit && old->driver == rendered.driver) {
      json_.raw(textOf(old->info));
    } else {
      json_.string(infoOf(unit, rendered.driver, context_));
    }
    rendered.info.length = json_.size() - rendered.info.offset;
    json_.key(unit.kind == UnitKind::kStorage ? "disk" : "node").beginArray();
    writeMembers(view, old, rendered.members);
    json_.endArray();
    json_.endObject();
    rendered.text = {begin, json_.size() - begin};
    return rendered;
  }

 private:
  std::string_view textOf(const TextSlice& slice) const {
    return std::string_view(before_->json).substr(slice.offset, slice.length);
  }

  /// What the earlier text has of the unit; null when nothing of it can hold: members tell the names of VC and unit.
  const RenderedUnit* earlier(const Unit& unit) const {
    if (before_ == nullptr || before_->name != vc_.name) return nullptr;
    const auto found = before_->units.find(unit.name);
    if (found == before_->units.end()) return nullptr;
    const Unit& was = *found->second.unit;
    return was.unit_id == unit.unit_id && was.kind == unit.kind ? &found->second : nullptr;
  }

  void writeMembers(const UnitView& view, const RenderedUnit* old, std::vector<RenderedMember>& members) {
    members.reserve(view.nodes.size());
    auto at = old == nullptr ? std::vector<RenderedMember>::const_iterator() : old->members.begin();
    for (const Node* node : view.nodes) {
      const Machine* const machine = node->machine_id.empty() ? nullptr : tx_.machines().find(node->machine_id);
      const bool tied = isTied(tx_, *view.unit, *node);
      const std::size_t begin = json_.size() + (members.empty() ? 0 : 1);
      if (old != nullptr) {
        while (at != old->members.end() && at->node->node_no < node->node_no) ++at;
        if (at != old->members.end() && at->node.get() == node && at->machine.get() == machine && !at->tied && !tied) {
          json_.raw(textOf(at->text));
          members.push_back(*at);
          members.back().text.offset = begin;
          continue;
        }
      }
      writeMember(json_, tx_, vc_, *view.unit, *node);
      members.push_back({{begin, json_.size() - begin},
                         tx_.nodes().share(node->node_id),
                         machine == nullptr ? nullptr : tx_.machines().share(node->machine_id),
                         tied});
    }
  }

  JsonWriter& json_;
  const ReadTx& tx_;
  const Vc& vc_;
  const RenderContext& context_;
  const RenderedVc* before_;
};

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

std::size_t RenderedVc::bytes() const {
  std::size_t sum = json.capacity();
  for (const auto& [unit_name, unit] : units) sum += unit.members.capacity() * sizeof(RenderedMember);
  return sum;
}

RenderedVc renderVc(const ReadTx& tx, const Vc& vc, const RenderContext& context, const RenderedVc* before) {
  RenderedVc rendered;
  rendered.version = vc.version;
  rendered.name = vc.name;
  const std::vector<UnitView> views = unitsInOrder(tx, vc.vcid);
  JsonWriter json;
  if (before != nullptr) json.reserve(before->json.size() + before->json.size() / 16 + 1024);
  json.beginObject();
  json.key("vcc_id").string(context.vcc_id);
  json.key("vcid").string(vc.vcid);
  json.key("vcno").integer(vc.vcno);
  json.key("type").string(kindName(vc.kind));
  json.key("name").string(vc.name);
  json.key("description").string(vc.description);
  json.key("owner").string(vc.owner);
  json.key("state").string(vcStateName(stateOf(vc, views)));
  json.key("cdate").string(formatUtc(vc.created_at));
  json.key("error_message").string("");
  json.key("unit").beginArray();
  UnitWriter units(json, tx, vc, context, before);
  for (const UnitView& view : views) rendered.units[view.unit->name] = units.write(view, rendered.units.empty());
  json.endArray();
  json.endObject();
  rendered.json = json.take();
  return rendered;
}

std::string renderNode(const ReadTx& tx, const Vc& vc, const Unit& unit, const Node& node) {
  JsonWriter json;
  writeMember(json, tx, vc, unit, node);
  return json.take();
}

}  // namespace vcc

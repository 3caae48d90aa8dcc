// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"

namespace vcc::sim {
namespace {

/// Objects of one machine in a cloud; machines of one node whose records a purge may take away at one time.
constexpr std::int64_t kMostParts = 2;
constexpr std::int64_t kMostTries = 1;

/// Users with disks are looked for so often, to have them used.
constexpr int kMostLooksForDisks = 4;

constexpr std::array kVerbs{Verb::kSuspend, Verb::kResume, Verb::kPowerOff, Verb::kPowerOn, Verb::kStop, Verb::kStart};

Goal goalOf(Verb verb) {
  switch (verb) {
    case Verb::kSuspend:
      return Goal::kSuspended;
    case Verb::kPowerOff:
      return Goal::kPowerOff;
    case Verb::kStop:
      return Goal::kStopped;
    case Verb::kDelete:
      return Goal::kGone;
    case Verb::kResume:
    case Verb::kPowerOn:
    case Verb::kStart:
      break;
  }
  return Goal::kRunning;
}

}  // namespace

void Workload::send(Controller& controller, const std::string& what, Request request, Answered answered) {
  witness_.tell("user", what);
  controller.serve(
      [this, &controller, what, request = std::move(request), answered = std::move(answered)](Commands& commands) {
        const Status status = request(commands);
        // Nobody hears what a process says that died meanwhile.
        if (controller.life()->dead) return;
        witness_.tell("answer", what + ": " + (status.ok() ? "accepted" : status.toString()));
        witness_.checkSecrets(status.message(), "an answer");
        answered(status);
      });
}

void Workload::request(Controller& controller, Store& store) {
  std::int64_t total = 0;
  for (const auto& [what, weight] : scenario_.weights) total += weight;
  std::int64_t drawn = dice_.between(0, total - 1);
  for (const auto& [what, weight] : scenario_.weights) {
    if (drawn >= weight) {
      drawn -= weight;
      continue;
    }
    if (what == "create_vc") return createVc(controller);
    if (what == "add_unit") return addUnit(controller, store);
    if (what == "add_disks") return addDisks(controller);
    if (what == "add_nodes") return addNodes(controller, store);
    if (what == "change_node") return changeNode(controller, store);
    if (what == "change_unit") return changeUnit(controller, store);
    if (what == "delete_node") return deleteNode(controller, store);
    if (what == "delete_unit") return deleteUnit(controller, store);
    if (what == "delete_vc") return deleteVc(controller, someVc(), dice_.chance(0.8));
    if (what == "rename") return rename(controller);
    if (what == "purge") {
      return purge(controller, store, someVc(), dice_.chance(0.5) ? PurgeMode::kDelete : PurgeMode::kKeepCloud);
    }
    throw std::runtime_error("scenario " + scenario_.name + ": no request is called '" + what + "'");
  }
}

std::string Workload::someVc() {
  std::vector<std::string> all;
  for (const auto& [vcid, vc] : vcs_) {
    if (!vc.delete_asked) all.push_back(vcid);
  }
  return all.empty() ? std::string() : all[dice_.roll(all.size())];
}

std::string Workload::someVc(UnitKind kind) {
  std::vector<std::string> all;
  for (const auto& [vcid, vc] : vcs_) {
    if (!vc.delete_asked && vc.kind == kind) all.push_back(vcid);
  }
  return all.empty() ? std::string() : all[dice_.roll(all.size())];
}

std::vector<std::string> Workload::someDisks(const Store& store, const std::string& user, const std::string& cloud) {
  std::vector<std::string> all;
  store.read([&](const ReadTx& tx) {
    tx.units().scan([&](const Unit& unit) {
      const Vc* vc = tx.vcs().find(unit.vcid);
      if (unit.kind != UnitKind::kStorage || unit.instance != cloud || vc == nullptr || vc->owner != user) return true;
      tx.nodes().scan("unit_id", unit.unit_id, [&](const Node& disk) {
        all.push_back(fmt::format("vcp:{}:{}:{}", unit.vcid, unit.name, disk.node_id));
        return true;
      });
      return true;
    });
  });
  std::vector<std::string> chosen;
  while (chosen.size() < 2 && !all.empty() && dice_.chance(0.8)) {
    const auto drawn = all.begin() + static_cast<std::ptrdiff_t>(dice_.roll(all.size()));
    chosen.push_back(*drawn);
    all.erase(drawn);
  }
  return chosen;
}

std::string Workload::someNode(const Store& store, const std::string& vcid, const std::string& unit_name) {
  std::vector<std::string> nodes;
  store.read([&](const ReadTx& tx) {
    tx.nodes().scan("vcid", vcid, [&](const Node& node) {
      const Unit* unit = tx.units().find(node.unit_id);
      if (unit != nullptr && unit->name == unit_name) nodes.push_back(node.node_id);
      return true;
    });
  });
  return nodes.empty() ? std::string() : nodes[dice_.roll(nodes.size())];
}

std::string Workload::someUnit(const std::string& vcid) {
  std::vector<std::string> all;
  if (!vcid.empty()) {
    for (const auto& [name, unit] : vcs_[vcid].units) {
      if (!unit.delete_asked) all.push_back(name);
    }
  }
  return all.empty() ? std::string() : all[dice_.roll(all.size())];
}

void Workload::createVc(Controller& controller, UnitKind kind) {
  const std::size_t user = dice_.roll(users_.size());
  const std::string cci = base64Encode(fmt::format("- vc:\n    type: {}\n    name: g{}\n    description: d\n",
                                                   kind == UnitKind::kStorage ? "storage" : "compute", ++named_));
  auto vcid = std::make_shared<std::string>();
  send(
      controller, "create vc of " + users_[user].name,
      [this, user, cci, vcid](Commands& commands) {
        auto made = commands.createVc(users_[user].caller, cci);
        if (made.ok()) *vcid = *made;
        return made.status();
      },
      [this, user, kind, vcid](const Status& status) {
        if (!status.ok()) return;
        vcs_[*vcid].user = user;
        vcs_[*vcid].kind = kind;
      });
}

std::string Workload::cciOf(const std::string& unit, const CloudSpec& cloud, const SimUser& user, std::int64_t nodes,
                            const std::vector<std::string>& disks) {
  std::string params;
  for (const auto& [key, value] : cloud.params) params += fmt::format("        {}: \"{}\"\n", key, value);
  if (!disks.empty()) params += fmt::format("        {}: [\"{}\"]\n", cloud.disks, fmt::join(disks, "\", \""));
  const bool by_reference = dice_.chance(0.5);
  params += fmt::format("        {}: {}\n", cloud.secret,
                        by_reference ? "vault://cubbyhole/" + cloud.name : cloud.accounts.at(user.name));
  return base64Encode(fmt::format(
      "\n- unit:\n    cci_version: \"1.1\"\n    name: {}\n    private_network: default\n    num_nodes: {}\n"
      "    image: localhost/vcp/base:1\n    params:\n        v: []\n        e: ['A=b']\n    cloud_provider: {}\n"
      "    cloud_params:\n        cci_version: \"1.0\"\n{}",
      unit, nodes, cloud.name, params));
}

std::string Workload::diskCciOf(const std::string& unit, const CloudSpec& cloud, const SimUser& user,
                                std::int64_t disks) {
  std::string params;
  for (const auto& [key, value] : cloud.params) params += fmt::format("        {}: \"{}\"\n", key, value);
  return base64Encode(
      fmt::format("\n- unit:\n    cci_version: \"1.1\"\n    name: {}\n    private_network: default\n    num_disks: {}\n"
                  "    cloud_provider: {}\n    cloud_params:\n        cci_version: \"1.0\"\n{}        {}: {}\n",
                  unit, disks, cloud.name, params, cloud.secret, cloud.accounts.at(user.name)));
}

void Workload::addUnit(Controller& controller, Store& store) {
  std::string vcid = someVc(UnitKind::kCompute);
  if (vcid.empty()) return createVc(controller);
  const std::string name = fmt::format("u{}", ++named_);
  const CloudSpec& cloud = scenario_.clouds[dice_.roll(scenario_.clouds.size())];
  std::vector<std::string> disks;
  for (int i = 0; i < kMostLooksForDisks && !cloud.disks.empty() && disks.empty(); ++i) {
    vcid = someVc(UnitKind::kCompute);
    disks = someDisks(store, users_[vcs_[vcid].user].name, cloud.name);
  }
  const SimUser& user = users_[vcs_[vcid].user];
  const std::int64_t count = disks.empty() ? dice_.between(1, scenario_.most_nodes) : 1;
  sendUnit(controller, vcid, name, cloud, count, cciOf(name, cloud, user, count, disks));
}

void Workload::addDisks(Controller& controller) {
  const std::string vcid = someVc(UnitKind::kStorage);
  if (vcid.empty()) return createVc(controller, UnitKind::kStorage);
  std::vector<const CloudSpec*> clouds;
  for (const CloudSpec& cloud : scenario_.clouds) {
    if (!cloud.disks.empty()) clouds.push_back(&cloud);
  }
  const CloudSpec& cloud = *clouds.at(dice_.roll(clouds.size()));
  const std::string name = fmt::format("d{}", ++named_);
  const std::int64_t count = dice_.between(1, scenario_.most_nodes);
  sendUnit(controller, vcid, name, cloud, count, diskCciOf(name, cloud, users_[vcs_[vcid].user], count));
}

void Workload::sendUnit(Controller& controller, const std::string& vcid, const std::string& name,
                        const CloudSpec& cloud, std::int64_t count, const std::string& cci) {
  const SimUser& user = users_[vcs_[vcid].user];
  vcs_[vcid].units[name].most = count;
  send(
      controller, fmt::format("add unit {} of {} in {} to {}", name, count, cloud.name, vcid),
      [&user, vcid, name, cci](Commands& commands) { return commands.addUnit(user.caller, vcid, name, cci); },
      [this, vcid, name, count](const Status& status) {
        UnitModel& unit = vcs_[vcid].units[name];
        unit.certain = status.ok();
        unit.least = status.ok() ? count : 0;
      });
}

/// A verb for the node, mostly one that will change something.
Verb Workload::someVerb(const Store& store, const std::string& node_id) {
  std::vector<Verb> fits;
  store.read([&](const ReadTx& tx) {
    const Node* node = tx.nodes().find(node_id);
    for (const Verb verb : kVerbs) {
      const auto change = applyVerb(verb, node->goal, node->state == State::kError);
      if (change.ok() && change->changes) fits.push_back(verb);
    }
  });
  if (fits.empty() || dice_.chance(0.2)) return kVerbs.at(dice_.roll(kVerbs.size()));
  return fits[dice_.roll(fits.size())];
}

/// A verb for one node.
void Workload::changeNode(Controller& controller, Store& store) {
  const std::string vcid = someVc(UnitKind::kCompute);
  const std::string name = someUnit(vcid);
  const std::string node = name.empty() ? std::string() : someNode(store, vcid, name);
  if (node.empty()) return addUnit(controller, store);
  const SimUser& user = users_[vcs_[vcid].user];
  const Verb verb = someVerb(store, node);
  nodes_[node].goals.insert(goalOf(verb));
  ++nodes_[node].asking;
  send(
      controller, fmt::format("{} node {} of {} of {}", verbName(verb), node, name, vcid),
      [&user, vcid, name, node, verb](Commands& commands) {
        return commands.changeNode(user.caller, vcid, name, node, verb);
      },
      [this, node, verb](const Status& status) {
        NodeModel& model = nodes_[node];
        --model.asking;
        // The last word counts, as far as it is known which one that is.
        if (status.ok() && model.asking == 0) model.goals = {goalOf(verb)};
      });
}

/// A verb for all nodes of a unit to which it applies.
void Workload::changeUnit(Controller& controller, Store& store) {
  const std::string vcid = someVc(UnitKind::kCompute);
  const std::string name = someUnit(vcid);
  if (name.empty()) return addUnit(controller, store);
  const SimUser& user = users_[vcs_[vcid].user];
  const Verb verb = kVerbs.at(dice_.roll(kVerbs.size()));
  vcs_[vcid].units[name].goals.insert(goalOf(verb));
  send(
      controller, fmt::format("{} unit {} of {}", verbName(verb), name, vcid),
      [&user, vcid, name, verb](Commands& commands) { return commands.changeUnit(user.caller, vcid, name, verb); },
      [](const Status&) {});
}

void Workload::addNodes(Controller& controller, Store& store) {
  const std::string vcid = someVc();
  const std::string name = someUnit(vcid);
  if (name.empty()) return addUnit(controller, store);
  const SimUser& user = users_[vcs_[vcid].user];
  const std::int64_t count = dice_.between(1, scenario_.most_nodes);
  vcs_[vcid].units[name].most += count;
  send(
      controller, fmt::format("add {} nodes to {} of {}", count, name, vcid),
      [&user, vcid, name, count](Commands& commands) {
        return commands.addNodes(user.caller, vcid, name, {.count = count, .addresses = {}});
      },
      [this, vcid, name, count](const Status& status) {
        if (status.ok()) vcs_[vcid].units[name].least += count;
      });
}

void Workload::deleteNode(Controller& controller, Store& store) {
  const std::string vcid = someVc();
  const std::string name = someUnit(vcid);
  const std::string node = name.empty() ? std::string() : someNode(store, vcid, name);
  if (node.empty()) return addUnit(controller, store);
  const SimUser& user = users_[vcs_[vcid].user];
  vcs_[vcid].units[name].maybe_deleted.insert(node);
  send(
      controller, fmt::format("delete node {} of {} of {}", node, name, vcid),
      [&user, vcid, name, node](Commands& commands) { return commands.deleteNode(user.caller, vcid, name, node); },
      [this, vcid, name, node](const Status& status) {
        if (status.ok()) vcs_[vcid].units[name].deleted.insert(node);
      });
}

void Workload::deleteUnit(Controller& controller, Store& store) {
  const std::string vcid = someVc();
  const std::string name = someUnit(vcid);
  if (name.empty()) return addUnit(controller, store);
  const SimUser& user = users_[vcs_[vcid].user];
  const bool force = dice_.chance(0.8);
  const bool goes = vcs_[vcid].kind == UnitKind::kCompute;  // disks that are in use stay
  vcs_[vcid].units[name].delete_asked = force && goes;
  vcs_[vcid].units[name].delete_tried = true;
  send(
      controller, fmt::format("delete unit {} of {}{}", name, vcid, force ? " by force" : ""),
      [&user, vcid, name, force](Commands& commands) { return commands.deleteUnit(user.caller, vcid, name, force); },
      [this, vcid, name, goes](const Status& status) {
        UnitModel& unit = vcs_[vcid].units[name];
        unit.delete_asked = unit.delete_asked || (status.ok() && goes);
        unit.delete_accepted = unit.delete_accepted || (status.ok() && goes);
      });
}

void Workload::deleteVc(Controller& controller, const std::string& vcid, bool force) {
  if (vcid.empty()) return createVc(controller);
  const SimUser& user = users_[vcs_[vcid].user];
  const bool goes = vcs_[vcid].kind == UnitKind::kCompute;
  vcs_[vcid].delete_asked = vcs_[vcid].delete_asked || (force && goes);
  vcs_[vcid].delete_tried = true;
  send(
      controller, fmt::format("delete vc {}{}", vcid, force ? " by force" : ""),
      [&user, vcid, force](Commands& commands) { return commands.deleteVc(user.caller, vcid, force); },
      [this, vcid, goes](const Status& status) {
        VcModel& vc = vcs_[vcid];
        vc.delete_asked = vc.delete_asked || (status.ok() && goes);
        vc.delete_accepted = vc.delete_accepted || (status.ok() && goes);
      });
}

void Workload::rename(Controller& controller) {
  const std::string vcid = someVc();
  if (vcid.empty()) return createVc(controller);
  const SimUser& user = users_[vcs_[vcid].user];
  const std::string cci =
      base64Encode(fmt::format("- vc:\n    type: compute\n    name: r{}\n    description: e\n", ++named_));
  send(
      controller, "rename " + vcid,
      [&user, vcid, cci](Commands& commands) { return commands.renameVc(user.caller, vcid, cci); },
      [](const Status&) {});
}

void Workload::purge(Controller& controller, Store& store, const std::string& vcid, PurgeMode mode) {
  if (vcid.empty()) return createVc(controller);
  vcs_[vcid].delete_asked = vcs_[vcid].delete_tried = true;
  // Also what is asked for after this look and before the purge may be left: at most every node that was ever added.
  if (mode == PurgeMode::kKeepCloud) {
    std::map<std::string, std::string> clouds;
    store.read([&](const ReadTx& tx) {
      tx.units().scan("vcid", vcid, [&](const Unit& unit) {
        clouds[unit.name] = unit.instance;
        return true;
      });
    });
    for (const auto& [name, unit] : vcs_[vcid].units) {
      if (clouds.contains(name)) left_[clouds[name]] += kMostParts * unit.most * kMostTries;
    }
  }
  send(
      controller, fmt::format("purge {}{}", vcid, mode == PurgeMode::kKeepCloud ? ", keeping the cloud" : ""),
      [vcid, mode](Commands& commands) { return commands.purgeVc(vcid, mode, "root").status(); },
      [this, vcid](const Status& status) {
        if (status.ok()) vcs_[vcid].delete_accepted = true;
      });
}

void Workload::purgeOf(Controller& controller, Store& store, const std::string& user) {
  std::vector<std::string> owned;
  store.read([&](const ReadTx& tx) {
    tx.vcs().scan([&](const Vc& vc) {
      if (vc.owner == user) owned.push_back(vc.vcid);
      return true;
    });
  });
  for (const std::string& vcid : owned) purge(controller, store, vcid, PurgeMode::kKeepCloud);
}

void Workload::deleteAll(Controller& controller, Store& store, UnitKind kind) {
  std::map<std::string, std::string> owners;
  store.read([&](const ReadTx& tx) {
    tx.vcs().scan([&](const Vc& vc) {
      if (vc.kind == kind) owners[vc.vcid] = vc.owner;
      return true;
    });
  });
  for (const auto& [vcid, owner] : owners) {
    for (std::size_t user = 0; user < users_.size(); ++user) {
      if (users_[user].name == owner) vcs_[vcid].user = user;
    }
    deleteVc(controller, vcid, true);
  }
}

/// Every node wants what was asked for last.
void Workload::checkGoals(const ReadTx& tx) {
  tx.nodes().scan([&](const Node& node) {
    const Unit* unit = tx.units().find(node.unit_id);
    const auto vc = vcs_.find(node.vcid);
    if (unit == nullptr || unit->kind != UnitKind::kCompute || vc == vcs_.end()) return true;
    const auto asked = nodes_.find(node.node_id);
    const std::set<Goal> goals = asked == nodes_.end() ? NodeModel().goals : asked->second.goals;
    const auto of_unit = vc->second.units.find(unit->name);
    const bool by_unit = of_unit != vc->second.units.end() && of_unit->second.goals.contains(node.goal);
    if (!goals.contains(node.goal) && !by_unit) {
      witness_.violation(
          fmt::format("the goal of node {} is {}, which nobody asked for last", node.node_id, goalName(node.goal)));
    }
    return true;
  });
}

void Workload::check(const Store& store) {
  store.read([&](const ReadTx& tx) {
    checkGoals(tx);
    for (const auto& [vcid, vc] : vcs_) {
      const bool there = tx.vcs().find(vcid) != nullptr;
      if (there && vc.delete_accepted)
        witness_.violation("vc " + vcid + " is still there, and its deletion was accepted");
      if (!there && !vc.delete_tried) witness_.violation("vc " + vcid + " is gone, and nobody asked for that");
      if (!there) continue;
      std::map<std::string, std::int64_t> nodes;
      tx.units().scan("vcid", vcid, [&](const Unit& unit) {
        nodes[unit.name] = 0;
        tx.nodes().scan("unit_id", unit.unit_id, [&](const Node&) {
          ++nodes[unit.name];
          return true;
        });
        return true;
      });
      for (const auto& [name, unit] : vc.units) {
        const auto found = nodes.find(name);
        const std::string what = fmt::format("unit {} of {}", name, vcid);
        if (found != nodes.end() && unit.delete_accepted)
          witness_.violation(what + " is there, and its deletion was accepted");
        if (found == nodes.end() && unit.certain && !unit.delete_tried && !vc.delete_tried) {
          witness_.violation(what + " is gone, and nobody asked for that");
        }
        if (found == nodes.end() || unit.delete_asked || vc.delete_asked) continue;
        std::int64_t least = unit.least - static_cast<std::int64_t>(unit.maybe_deleted.size());
        const bool goes = vc.kind == UnitKind::kCompute;
        const std::int64_t most = unit.most - (goes ? static_cast<std::int64_t>(unit.deleted.size()) : 0);
        if (!goes && (unit.delete_tried || vc.delete_tried)) least = 0;  // all but those in use
        if (found->second < least || found->second > most) {
          witness_.violation(fmt::format("{} has {} nodes, not {} to {}", what, found->second, least, most));
        }
      }
    }
  });
}

}  // namespace vcc::sim

// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include <fmt/format.h>

#include <utility>

#include "base/encoding.h"

namespace vcc::sim {
namespace {

/// Objects of one machine in a cloud; machines of one node whose records a purge may take away at one time.
constexpr std::int64_t kMostParts = 2;
constexpr std::int64_t kMostTries = 1;

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
    if (what == "add_unit") return addUnit(controller);
    if (what == "add_nodes") return addNodes(controller);
    if (what == "delete_node") return deleteNode(controller, store);
    if (what == "delete_unit") return deleteUnit(controller);
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

std::string Workload::someUnit(const std::string& vcid) {
  std::vector<std::string> all;
  if (!vcid.empty()) {
    for (const auto& [name, unit] : vcs_[vcid].units) {
      if (!unit.delete_asked) all.push_back(name);
    }
  }
  return all.empty() ? std::string() : all[dice_.roll(all.size())];
}

void Workload::createVc(Controller& controller) {
  const std::size_t user = dice_.roll(users_.size());
  const std::string cci =
      base64Encode(fmt::format("- vc:\n    type: compute\n    name: g{}\n    description: d\n", ++named_));
  auto vcid = std::make_shared<std::string>();
  send(
      controller, "create vc of " + users_[user].name,
      [this, user, cci, vcid](Commands& commands) {
        auto made = commands.createVc(users_[user].caller, cci);
        if (made.ok()) *vcid = *made;
        return made.status();
      },
      [this, user, vcid](const Status& status) {
        if (status.ok()) vcs_[*vcid].user = user;
      });
}

std::string Workload::cciOf(const std::string& unit, const CloudSpec& cloud, const SimUser& user, std::int64_t nodes) {
  std::string params;
  for (const auto& [key, value] : cloud.params) params += fmt::format("        {}: \"{}\"\n", key, value);
  const bool by_reference = dice_.chance(0.5);
  params += fmt::format("        {}: {}\n", cloud.secret,
                        by_reference ? "vault://cubbyhole/" + cloud.name : cloud.accounts.at(user.name));
  return base64Encode(fmt::format(
      "\n- unit:\n    cci_version: \"1.1\"\n    name: {}\n    private_network: default\n    num_nodes: {}\n"
      "    image: localhost/vcp/base:1\n    params:\n        v: []\n        e: ['A=b']\n    cloud_provider: {}\n"
      "    cloud_params:\n        cci_version: \"1.0\"\n{}",
      unit, nodes, cloud.name, params));
}

void Workload::addUnit(Controller& controller) {
  const std::string vcid = someVc();
  if (vcid.empty()) return createVc(controller);
  const SimUser& user = users_[vcs_[vcid].user];
  const std::string name = fmt::format("u{}", ++named_);
  const CloudSpec& cloud = scenario_.clouds[dice_.roll(scenario_.clouds.size())];
  const std::int64_t count = dice_.between(1, scenario_.most_nodes);
  const std::string cci = cciOf(name, cloud, user, count);
  vcs_[vcid].units[name].most = count;
  send(
      controller, fmt::format("add unit {} of {} nodes in {} to {}", name, count, cloud.name, vcid),
      [&user, vcid, name, cci](Commands& commands) { return commands.addUnit(user.caller, vcid, name, cci); },
      [this, vcid, name, count](const Status& status) {
        UnitModel& unit = vcs_[vcid].units[name];
        unit.certain = status.ok();
        unit.least = status.ok() ? count : 0;
      });
}

void Workload::addNodes(Controller& controller) {
  const std::string vcid = someVc();
  const std::string name = someUnit(vcid);
  if (name.empty()) return addUnit(controller);
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
  std::vector<std::string> nodes;
  if (!name.empty()) {
    store.read([&](const ReadTx& tx) {
      tx.nodes().scan("vcid", vcid, [&](const Node& node) {
        const Unit* unit = tx.units().find(node.unit_id);
        if (unit != nullptr && unit->name == name) nodes.push_back(node.node_id);
        return true;
      });
    });
  }
  if (nodes.empty()) return addUnit(controller);
  const SimUser& user = users_[vcs_[vcid].user];
  const std::string node = nodes[dice_.roll(nodes.size())];
  vcs_[vcid].units[name].maybe_deleted.insert(node);
  send(
      controller, fmt::format("delete node {} of {} of {}", node, name, vcid),
      [&user, vcid, name, node](Commands& commands) { return commands.deleteNode(user.caller, vcid, name, node); },
      [this, vcid, name, node](const Status& status) {
        if (status.ok()) vcs_[vcid].units[name].deleted.insert(node);
      });
}

void Workload::deleteUnit(Controller& controller) {
  const std::string vcid = someVc();
  const std::string name = someUnit(vcid);
  if (name.empty()) return addUnit(controller);
  const SimUser& user = users_[vcs_[vcid].user];
  const bool force = dice_.chance(0.8);
  vcs_[vcid].units[name].delete_asked = force;
  vcs_[vcid].units[name].delete_tried = true;
  send(
      controller, fmt::format("delete unit {} of {}{}", name, vcid, force ? " by force" : ""),
      [&user, vcid, name, force](Commands& commands) { return commands.deleteUnit(user.caller, vcid, name, force); },
      [this, vcid, name](const Status& status) {
        UnitModel& unit = vcs_[vcid].units[name];
        unit.delete_asked = unit.delete_asked || status.ok();
        unit.delete_accepted = unit.delete_accepted || status.ok();
      });
}

void Workload::deleteVc(Controller& controller, const std::string& vcid, bool force) {
  if (vcid.empty()) return createVc(controller);
  const SimUser& user = users_[vcs_[vcid].user];
  vcs_[vcid].delete_asked = vcs_[vcid].delete_asked || force;
  vcs_[vcid].delete_tried = true;
  send(
      controller, fmt::format("delete vc {}{}", vcid, force ? " by force" : ""),
      [&user, vcid, force](Commands& commands) { return commands.deleteVc(user.caller, vcid, force); },
      [this, vcid](const Status& status) {
        VcModel& vc = vcs_[vcid];
        vc.delete_asked = vc.delete_asked || status.ok();
        vc.delete_accepted = vc.delete_accepted || status.ok();
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

void Workload::deleteAll(Controller& controller, Store& store) {
  std::map<std::string, std::string> owners;
  store.read([&](const ReadTx& tx) {
    tx.vcs().scan([&](const Vc& vc) {
      owners[vc.vcid] = vc.owner;
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

void Workload::check(const Store& store) {
  store.read([&](const ReadTx& tx) {
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
        const std::int64_t least = unit.least - static_cast<std::int64_t>(unit.maybe_deleted.size());
        const std::int64_t most = unit.most - static_cast<std::int64_t>(unit.deleted.size());
        if (found->second < least || found->second > most) {
          witness_.violation(fmt::format("{} has {} nodes, not {} to {}", what, found->second, least, most));
        }
      }
    }
  });
}

}  // namespace vcc::sim

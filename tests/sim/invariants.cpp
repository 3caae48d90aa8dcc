// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "model/doubt.h"
#include "sim/world.h"

/// What must hold of every run (models.md 4.9.5).
namespace vcc::sim {

namespace {

/// Why a record is not settled; empty when it is.
std::string unrestOf(const Node& node) {
  if (!node.settled()) return "is not settled";
  if (node.goal == Goal::kGone) return "is to go";
  return {};
}

std::string unrestOf(const Machine& machine) {
  if (!machine.open_op.empty()) return "has an open op";
  if (machine.want_destroy) return "is to be given back";
  if (inDoubt(machine)) return "is in doubt";
  return {};
}

/// Calls `told` with every record that is not settled, until it says false.
void findUnrest(const Store& store, const std::function<bool(const std::string&)>& told) {
  store.read([&](const ReadTx& tx) {
    bool go_on = true;
    const auto tell = [&](const std::string& object, const std::string& why) {
      if (!why.empty()) go_on = told(object + " " + why);
      return go_on;
    };
    tx.nodes().scan([&](const Node& node) {
      return tell(fmt::format("node {} ({}, step {}, attempts {}, fault {})", node.node_id, stateName(node.state),
                              stepName(node.step), node.attempts, node.fault.text),
                  unrestOf(node));
    });
    if (go_on) {
      tx.machines().scan([&](const Machine& machine) {
        return tell(fmt::format("machine {} of node {} ({})", machine.name, machine.node_id,
                                machineStateName(machine.observed)),
                    unrestOf(machine));
      });
    }
    if (go_on) tx.ops().scan([&](const Op& op) { return tell("op " + op.op_id, "is open"); });
    if (go_on)
      tx.units().scan([&](const Unit& unit) { return tell("unit " + unit.name, unit.deleting ? "is to go" : ""); });
    if (go_on) tx.vcs().scan([&](const Vc& vc) { return tell("vc " + vc.vcid, vc.deleting ? "is to go" : ""); });
  });
}

using ObjectId = std::pair<std::string, std::string>;  // cloud, id

}  // namespace

bool World::isQuiet() const {
  if (controllers_.empty() || controllers_.back()->isServing()) return false;
  bool quiet = true;
  findUnrest(*store_, [&](const std::string&) { return quiet = false; });
  return quiet;
}

namespace {

/// Grants that nothing needs any more. What a purge left in a cloud can only be deleted with the grant that made it.
std::size_t idleGrants(const ReadTx& tx) { return tx.strays().size() > 0 ? 0 : tx.grants().size(); }

}  // namespace

bool World::isEmpty() const {
  if (controllers_.empty() || controllers_.back()->isServing()) return false;
  std::size_t left = 0;
  store_->read([&](const ReadTx& tx) { left = tx.vcs().size() + idleGrants(tx); });
  return left == 0;
}

void World::explainUnrest() {
  if (controllers_.empty()) return witness_.violation("no controller is up");
  findUnrest(*store_, [&](const std::string& what) {
    witness_.violation("faults have ended long ago: " + what);
    return witness_.violations.size() < 10;
  });
  if (witness_.violations.empty()) witness_.violation("a request is not answered, or a UnitGroup is left");
}

/// The records and the clouds know the same machines, and each node has one at most.
void World::checkClouds() {
  std::map<ObjectId, std::string> known;     // of machines and their parts -> name of the machine
  std::map<ObjectId, std::string> expected;  // of machines that run -> name
  std::map<std::string, int> machines;       // by node
  store_->read([&](const ReadTx& tx) {
    tx.machines().scan([&](const Machine& machine) {
      if (++machines[machine.node_id] > 1) witness_.violation("node " + machine.node_id + " has two machines");
      if (!machine.cloud_id.empty()) known[{machine.instance, machine.cloud_id}] = machine.name;
      for (const Resource& part : machine.resources) known[{machine.instance, part.id}] = machine.name;
      const Node* node = tx.nodes().find(machine.node_id);
      if (node == nullptr) {
        witness_.violation("machine " + machine.name + " has no node");
      } else if (node->state == State::kRunning) {
        expected[{machine.instance, machine.cloud_id}] = machine.name;
      }
      return true;
    });
  });
  for (const auto& cloud : clouds_) {
    std::set<std::string> foreign;
    std::set<std::string> there;
    std::int64_t may_be_left = workload_->leftIn(cloud->spec().name);
    for (const CloudObject& object : cloud->foreign()) foreign.insert(object.id);
    for (const CloudObject& object : cloud->objects()) {
      there.insert(object.id);
      if (foreign.contains(object.id) || known.contains({cloud->spec().name, object.id})) continue;
      if (--may_be_left >= 0) continue;
      witness_.violation(fmt::format("cloud {} has {} {} {} without a record", cloud->spec().name, object.kind,
                                     object.id, object.name));
    }
    for (const std::string& id : foreign) {
      if (!there.contains(id)) witness_.violation(fmt::format("{} of somebody else is gone", id));
    }
    for (const auto& [id, name] : expected) {
      if (id.first == cloud->spec().name && !there.contains(id.second) && !vanished_.contains(id.second)) {
        witness_.violation(fmt::format("machine {} ({}) runs by its record and is not in the cloud", name, id.second));
      }
    }
  }
}

void World::checkNothingLeft() {
  for (const auto& cloud : clouds_) {
    for (const auto& [user, credential] : cloud->spec().accounts) {
      if (sqlite_ && sqlite_->holds(credential)) witness_.violation("a secret is in a file of the database");
    }
  }
  store_->read([&](const ReadTx& tx) {
    const auto none = [&](const char* what, std::size_t count) {
      if (count > 0) witness_.violation(fmt::format("{} {} are left after everything was deleted", count, what));
    };
    none("units", tx.units().size());
    none("nodes", tx.nodes().size());
    none("machines", tx.machines().size());
    none("ops", tx.ops().size());
    none("requests", tx.requests().size());
    none("addresses", tx.addresses().size());
    none("grants", idleGrants(tx));
  });
  for (const auto& cloud : clouds_) {
    std::set<std::string> foreign;
    for (const CloudObject& object : cloud->foreign()) foreign.insert(object.id);
    std::int64_t may_be_left = workload_->leftIn(cloud->spec().name);
    for (const CloudObject& object : cloud->objects()) {
      if (foreign.erase(object.id) > 0 || --may_be_left >= 0) continue;
      witness_.violation(
          fmt::format("cloud {} still has {} {} {}", cloud->spec().name, object.kind, object.id, object.name));
    }
    for (const std::string& id : foreign) witness_.violation(fmt::format("{} of somebody else is gone", id));
  }
}

}  // namespace vcc::sim

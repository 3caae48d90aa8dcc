// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/plan.h"
#include "store/store.h"

/// Changes to goals and records that requests and the engine share. All run inside a transaction and do no I/O.
namespace vcc {

/// What a transition was about, for its event.
struct Cause {
  std::string reason;
  std::string op_id;
};

/// "node 3 of unit web", "disk 1 of unit data".
std::string nodeLabel(Tx& tx, const Node& node);

/// Writes one event of the object.
Status recordEvent(Tx& tx, Event event);

/// Gives the node a new goal and its transient state; the caller of the API is `by`. Clears the fault.
Status setGoal(Tx& tx, Node node, Goal goal, State transient, const std::string& by, std::int64_t deadline);

/// The node is at `step` from now on, with the deadline that the step has on the way to the node's goal.
void beginStep(Node& node, Step step, std::int64_t now);

/// The node's way to its goal has ended, wherever.
void endWay(Node& node, std::int64_t now);

/// A new goal, or one that was reached, begins with no failures behind it.
void forgetFailedCreates(Node& node);

/// Puts `node` with another state, checked against the transition table, with its event.
Status setState(Tx& tx, Node node, State to, const Cause& cause);

/// Takes `goal` for the node's goal, and for reached, whatever it was on the way to (architecture 10).
Status acceptGoal(Tx& tx, Node node, Goal goal, const std::string& by, const Cause& cause);

/// Takes the fault state `state` (ERROR, HOST_ERROR, CONTAINER_ERROR) for what the node's way has ended in.
Status acceptFault(Tx& tx, Node node, State state, const Cause& cause);

/// Erases the node, its fixed address and its hold on disks; then its unit and VC when those were only waiting for it.
Status dropNode(Tx& tx, const Node& node, const Cause& cause);

/// Erases the unit when it is being deleted and has no node left; then its VC likewise.
Status dropUnitIfDone(Tx& tx, const std::string& unit_id);
/// Erases the VC when it is being deleted and has no unit left.
Status dropVcIfDone(Tx& tx, const std::string& vcid);

/// Takes over what a call said about the parts of a machine: by (kind, name); an empty id says that the part is no
/// more.
void mergeResources(std::vector<Resource>& known, const std::vector<Resource>& touched);

/// Erases the machine, its address when that was chosen for it, and its request and grant with the last record that
/// points at them. Where the cloud can be listed, the grant stays for one clean sweep after it (engine/sweeper.h).
void eraseMachine(Tx& tx, const std::string& machine_id);

/// Ends the part of one machine in an op; the op goes with its last open item.
Status closeItem(Tx& tx, Op op, const std::string& machine_id, ItemState state);

/// The machines of an op with their nodes, by item; null = erased. They live as what Table::find gives.
template <typename AnyTx>
std::vector<Member> membersOf(AnyTx& tx, const Op& op) {
  std::vector<Member> members(op.items.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].machine = tx.machines().find(op.items[i].machine_id);
    if (members[i].machine) members[i].node = tx.nodes().find(members[i].machine->node_id);
  }
  return members;
}

/// The nodes of a unit. `AnyTx` is Tx or ReadTx.
template <typename AnyTx>
std::vector<Node> nodesOf(AnyTx& tx, const std::string& unit_id) {
  std::vector<Node> nodes;
  tx.nodes().scan("unit_id", unit_id, [&](const Node& node) {
    nodes.push_back(node);
    return true;
  });
  return nodes;
}

/// The units of a VC.
template <typename AnyTx>
std::vector<Unit> unitsOf(AnyTx& tx, const std::string& vcid) {
  std::vector<Unit> units;
  tx.units().scan("vcid", vcid, [&](const Unit& unit) {
    units.push_back(unit);
    return true;
  });
  return units;
}

}  // namespace vcc

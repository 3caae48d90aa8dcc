// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "model/plan.h"
#include "store/store.h"

/// Which disks hang on which machines, in the records (`Attachment` of model/records.h). All run inside a transaction.
namespace vcc {

inline bool isDisk(const Machine& machine) { return machine.kind == UnitKind::kStorage; }

/// The disks that the node is to have, in the order of its unit's list.
template <typename AnyTx>
std::vector<Attachment> attachmentsOf(AnyTx& tx, const std::string& node_id) {
  std::vector<Attachment> ties;
  tx.attachments().scan("node_id", node_id, [&](const Attachment& tie) {
    ties.push_back(tie);
    return true;
  });
  std::sort(ties.begin(), ties.end(), [](const Attachment& a, const Attachment& b) { return a.position < b.position; });
  return ties;
}

/// "disk 1 of unit data", "volume vol-1" for one that is not ours.
template <typename AnyTx>
std::string labelOf(AnyTx& tx, const Attachment& tie) {
  if (!tie.volume_id.empty()) return "volume " + tie.volume_id;
  const Node* disk = tx.nodes().find(tie.disk);
  const Unit* unit = disk ? tx.units().find(disk->unit_id) : nullptr;
  return unit ? "disk " + std::to_string(disk->node_no) + " of unit " + unit->name : "disk " + tie.disk;
}

/// What the records say of the node, or of the disk that it is.
DiskTies tiesOf(const ReadTx& tx, const Node& node);

/// Takes the deletion of a disk back because it is in use (spec/rest-protocol 8.4): it is RUNNING again, with `why` as
/// its fault, and its unit and VC are not being deleted any more.
Status keepDisk(Tx& tx, Node disk, const std::string& why);

/// True for the refusal of a destroy that says that some machine holds the disk.
bool isRefusedAsHeld(const Node& node, const Machine& machine, const Status& error);

}  // namespace vcc

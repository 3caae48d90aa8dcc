// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "secrets/sealed_records.h"
#include "unit/api/api_rig.h"

namespace vcc::bench {

/// A running node with its machine.
inline Status addNode(Tx& tx, Random& random, const Unit& unit, int number) {
  Machine machine;
  machine.machine_id = newId(random);
  machine.vcid = unit.vcid;
  machine.unit_id = unit.unit_id;
  machine.name = "vcp-c80e43c2-" + randomHex(random, 10);
  machine.cloud_id = "i-" + randomHex(random, 9);
  machine.address = fmt::format("10.0.{}.{}", number / 250, 1 + number % 250);
  Node node;
  node.node_id = machine.node_id = newId(random);
  node.vcid = unit.vcid;
  node.unit_id = unit.unit_id;
  node.node_no = number;
  node.state = State::kRunning;
  node.machine_id = machine.machine_id;
  node.boot_at = node.container_started = 1'664'292'950'000;
  VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
  return tx.nodes().put(std::move(node));
}

inline Status addVc(test::ApiRig& rig, int number, int nodes) {
  return rig.store->transact([&](Tx& tx) -> Status {
    Vc vc;
    vc.vcid = newId(rig.random);
    vc.vcno = number;
    vc.name = fmt::format("group{}", number);
    vc.owner = "nobody";
    vc.created_at = 1'664'292'777'000;
    Unit unit;
    unit.unit_id = newId(rig.random);
    unit.vcid = vc.vcid;
    unit.name = "compute";
    unit.provider = unit.instance = "fake";
    unit.network = "default";
    unit.created_at = vc.created_at;
    VCC_ASSIGN_OR_RETURN(const UnitCci cci, parseUnitCci(test::unitCci("compute", nodes)));
    unit.spec = sealCci(rig.sealer, unit.unit_id, cci);
    VCC_RETURN_IF_ERROR(tx.vcs().put(vc));
    VCC_RETURN_IF_ERROR(tx.units().put(unit));
    for (int i = 1; i <= nodes; ++i) VCC_RETURN_IF_ERROR(addNode(tx, rig.random, unit, i));
    return okStatus();
  });
}

/// The API over so many UnitGroups of user nobody with so many running nodes each.
class FilledRig : public test::ApiRig {
 public:
  FilledRig(int vcs, int nodes) {
    for (int i = 1; i <= vcs; ++i) {
      const Status added = addVc(*this, i, nodes);
      if (added.ok()) continue;
      fmt::print(stderr, "{}\n", added.toString());
      std::exit(1);
    }
  }
};

}  // namespace vcc::bench

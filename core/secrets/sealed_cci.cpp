// SPDX-License-Identifier: Apache-2.0
#include "secrets/sealed_cci.h"

#include <vector>

namespace vcc {
namespace {

std::string placeOfSpec(const std::string& unit_id) { return placeOf("unit.spec", unit_id); }

}  // namespace

std::string sealCci(const Sealer& sealer, const std::string& unit_id, const UnitCci& cci) {
  const SecretString json(toJson(cci));
  return sealer.seal(json.reveal(), placeOfSpec(unit_id));
}

Result<UnitCci> openCci(const Sealer& sealer, const Unit& unit) {
  VCC_ASSIGN_OR_RETURN(const SecretString json, sealer.open(unit.spec, placeOfSpec(unit.unit_id)));
  return unitCciFromJson(json.reveal());
}

Result<std::int64_t> sealOldRecords(Store& store, const Sealer& sealer) {
  std::vector<Unit> open;
  store.read([&](const ReadTx& tx) {
    tx.units().scan([&](const Unit& unit) {
      if (!Sealer::isSealed(unit.spec)) open.push_back(unit);
      return true;
    });
  });
  if (open.empty()) return 0;
  VCC_RETURN_IF_ERROR(store.transact([&](Tx& tx) -> Status {
    for (Unit unit : open) {
      unit.spec = sealer.seal(unit.spec, placeOfSpec(unit.unit_id));
      VCC_RETURN_IF_ERROR(tx.units().put(std::move(unit)));
    }
    return okStatus();
  }));
  return static_cast<std::int64_t>(open.size());
}

}  // namespace vcc

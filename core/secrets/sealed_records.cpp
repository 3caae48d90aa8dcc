// SPDX-License-Identifier: Apache-2.0
#include "secrets/sealed_records.h"

#include <vector>

namespace vcc {
namespace {

std::string placeOfSpec(const std::string& unit_id) { return placeOf("unit.spec", unit_id); }
std::string placeOfRequest(const std::string& request_id) { return placeOf("request.text", request_id); }

/// The records whose text is not sealed.
template <typename T>
std::vector<T> inClear(const Table<T>& table, std::string T::*text) {
  std::vector<T> found;
  table.scan([&](const T& record) {
    if (!Sealer::isSealed(record.*text)) found.push_back(record);
    return true;
  });
  return found;
}

}  // namespace

std::string sealCci(const Sealer& sealer, const std::string& unit_id, const UnitCci& cci) {
  const SecretString json(toJson(cci));
  return sealer.seal(json.reveal(), placeOfSpec(unit_id));
}

Result<UnitCci> openCci(const Sealer& sealer, const Unit& unit) {
  VCC_ASSIGN_OR_RETURN(const SecretString json, sealer.open(unit.spec, placeOfSpec(unit.unit_id)));
  return unitCciFromJson(json.reveal());
}

std::string sealRequest(const Sealer& sealer, const std::string& request_id, std::string_view text) {
  return sealer.seal(text, placeOfRequest(request_id));
}

Result<SecretString> openRequest(const Sealer& sealer, const Request& request) {
  return sealer.open(request.text, placeOfRequest(request.request_id));
}

Result<std::int64_t> sealOldRecords(Store& store, const Sealer& sealer) {
  std::vector<Unit> units;
  std::vector<Request> requests;
  store.read([&](const ReadTx& tx) {
    units = inClear(tx.units(), &Unit::spec);
    requests = inClear(tx.requests(), &Request::text);
  });
  if (units.empty() && requests.empty()) return 0;
  VCC_RETURN_IF_ERROR(store.transact([&](Tx& tx) -> Status {
    for (Unit unit : units) {
      unit.spec = sealer.seal(unit.spec, placeOfSpec(unit.unit_id));
      VCC_RETURN_IF_ERROR(tx.units().put(std::move(unit)));
    }
    for (Request request : requests) {
      request.text = sealRequest(sealer, request.request_id, request.text);
      VCC_RETURN_IF_ERROR(tx.requests().put(std::move(request)));
    }
    return okStatus();
  }));
  return static_cast<std::int64_t>(units.size() + requests.size());
}

}  // namespace vcc

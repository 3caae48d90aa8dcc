// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "model/cci.h"
#include "secrets/sealer.h"
#include "store/store.h"

/// `Unit::spec`: the whole CCI, sealed, because `params.e` and start commands hold keys of users as well.
namespace vcc {

std::string sealCci(const Sealer& sealer, const std::string& unit_id, const UnitCci& cci);

/// kDataLoss when the record does not open or does not parse.
Result<UnitCci> openCci(const Sealer& sealer, const Unit& unit);

/// Seals what an earlier version stored in clear. Done at every start; returns how many records that were.
Result<std::int64_t> sealOldRecords(Store& store, const Sealer& sealer);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "model/cci.h"
#include "secrets/sealer.h"
#include "store/store.h"

/// Records that are sealed whole: the CCI of a unit (`params.e` and start commands hold keys of users as well), and
/// what machines were asked for with.
namespace vcc {

std::string sealCci(const Sealer& sealer, const std::string& unit_id, const UnitCci& cci);

/// kDataLoss when the record does not open or does not parse.
Result<UnitCci> openCci(const Sealer& sealer, const Unit& unit);

/// `Request::text`; engine/frozen_request.h knows what is in it.
std::string sealRequest(const Sealer& sealer, const std::string& request_id, std::string_view text);
Result<SecretString> openRequest(const Sealer& sealer, const Request& request);

/// Seals what an earlier version stored in clear. Done at every start; returns how many records that were.
Result<std::int64_t> sealOldRecords(Store& store, const Sealer& sealer);

}  // namespace vcc

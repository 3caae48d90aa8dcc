// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/log.h"
#include "plugin_host/driver.h"
#include "secrets/sealer.h"
#include "store/store.h"

/// VCs, units and nodes as the JSON of spec/rest-protocol section 7.
namespace vcc {

/// Where a unit lies in the text of its VC.
struct UnitSlice {
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// A VC as text, with the version of the record that it shows.
struct RenderedVc {
  std::int64_t version = 0;
  std::string json;
  std::map<std::string, UnitSlice, std::less<>> units;  ///< by unit name
  std::set<std::string> absent_drivers;  ///< instances whose driver was not there, so that their `info` is all masked
};

/// What rendering needs besides the records.
struct RenderContext {
  const std::string& vcc_id;
  const DriverRegistry& drivers;  ///< for the keys of `info` that may be shown
  Logger& log;
  const Sealer& sealer;
};

/// Null while it is not loaded.
const Driver* driverOf(const DriverRegistry& drivers, const std::string& instance);

/// The VC with its units and their nodes in ascending order. A record that cannot be read is left out and logged;
/// the rest is still shown.
RenderedVc renderVc(const ReadTx& tx, const Vc& vc, const RenderContext& context);

/// One node of the unit `unit` of `vc`.
std::string renderNode(const ReadTx& tx, const Vc& vc, const Unit& unit, const Node& node);

/// The lines of an error as users see them: each begins with its time. Empty for no fault.
std::string faultLines(const Fault& fault);

}  // namespace vcc

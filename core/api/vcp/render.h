// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "plugin_host/driver.h"
#include "secrets/sealer.h"
#include "store/store.h"

/// VCs, units and nodes as the JSON of spec/rest-protocol section 7.
namespace vcc {

/// Where a piece lies in the text of its VC.
struct TextSlice {
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// A node or disk as text, with the records that the text was made from: it holds as long as the store has these.
struct RenderedMember {
  TextSlice text;
  std::shared_ptr<const Node> node;
  std::shared_ptr<const Machine> machine;  ///< null: there is none
  bool tied = false;                       ///< attachments are in it, that is, more than these records
};

struct RenderedUnit {
  TextSlice text;
  TextSlice info;
  std::shared_ptr<const Unit> unit;
  const Driver* driver = nullptr;       ///< that said which keys of `info` may be shown; null: it was not there
  std::vector<RenderedMember> members;  ///< in the order of their numbers
};

/// A VC as text, with the version of the record that it shows.
struct RenderedVc {
  std::int64_t version = 0;
  std::string name;
  std::string json;
  std::map<std::string, RenderedUnit, std::less<>> units;  ///< by unit name

  /// What it takes in memory, about.
  std::size_t bytes() const;
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
/// the rest is still shown. `before`: an earlier text of this VC, or null; what still holds of it is copied, so that a
/// change of one node among many costs little more than the copy.
RenderedVc renderVc(const ReadTx& tx, const Vc& vc, const RenderContext& context, const RenderedVc* before = nullptr);

/// One node of the unit `unit` of `vc`.
std::string renderNode(const ReadTx& tx, const Vc& vc, const Unit& unit, const Node& node);

/// The lines of an error as users see them: each begins with its time. Empty for no fault.
std::string faultLines(const Fault& fault);

}  // namespace vcc

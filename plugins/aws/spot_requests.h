// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "client.h"
#include "vcp/plugin/cpp/driver.h"

namespace ec2 {

/// A spot machine's request for capacity. While it is alive it can bring an instance at any time, and that one costs
/// money: it is a part of the machine, and goes first.
struct SpotRequest {
  std::string id;
  std::string state;     ///< "open", "active", "disabled", "closed", "cancelled", "failed"
  std::string instance;  ///< what it has brought; empty: nothing now
  Tags tags;

  bool isAlive() const { return state == "open" || state == "active" || state == "disabled"; }
};
using SpotRequests = std::vector<SpotRequest>;

/// Kind of the part, in the host's records.
constexpr char kSpotRequestPart[] = "spot-request";

/// Those of the items: of the ids that were reported, and of what their creates wrote on them. Dead ones too.
SpotRequests spotRequests(const Client& client, const vcp::plugin::Items& items);
/// The living ones that carry our mark.
SpotRequests spotRequests(const Client& client, const Tags& mark);

/// Those of one item: reported as its parts, or of its name.
SpotRequests ofItem(const SpotRequests& all, const vcp::plugin::Item& item);

/// One change.
void cancelSpotRequests(const Client& client, const std::vector<std::string>& ids);

}  // namespace ec2

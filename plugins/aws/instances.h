// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client.h"
#include "vcp/plugin/cpp/driver.h"

namespace ec2 {

/// One instance as DescribeInstances and RunInstances show it.
struct Instance {
  std::string id;
  std::string state;  ///< "pending", "running", "stopping", "stopped", "shutting-down", "terminated"
  std::string address;
  std::string launched;  ///< sorts as time does
  std::string reason_code;
  std::string reason;
  std::string spot_request;
  std::int64_t launch_index = 0;
  std::set<std::string> devices;  ///< names in use: "/dev/sda1"
  Tags tags;

  bool isOver() const { return state == "terminated"; }
  bool isLeaving() const { return state == "terminated" || state == "shutting-down"; }
  std::string tag(const std::string& key) const;

  static Instance of(const vcp::plugin::XmlNode& item);
};
using Instances = std::vector<Instance>;

/// By ids, in as few requests as fit. An id that the cloud says it does not know is left out: that is a proof.
std::map<std::string, Instance> instancesById(const Client& client, const std::vector<std::string>& ids);

/// All instances that the creates of these items have made, found by what their requests wrote on them.
Instances instancesByOp(const Client& client, const vcp::plugin::Items& items);

/// Those of one item: of its name, or where a batch has no names yet, of its place. Living ones first, then the oldest.
Instances ofItem(const Instances& all, const vcp::plugin::Item& item);

/// Every instance that carries our mark.
void eachInstance(const Client& client, const Tags& mark, const std::function<void(Instance)>& take);

vcp::plugin::Observation observationOf(const Instance& instance);

/// What RunInstances made.
Instances launched(const vcp::plugin::XmlDocument& answer);

/// Filters take at most 200 values: calls `ask` with so many at a time.
void inTwoHundreds(const std::set<std::string>& values,
                   const std::function<void(const std::vector<std::string>&)>& ask);

}  // namespace ec2

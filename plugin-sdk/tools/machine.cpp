// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <algorithm>

#include "plugin.h"

namespace vcp::check {

std::size_t Machine::knownIds() const {
  return static_cast<std::size_t>(std::count_if(resources.begin(), resources.end(),
                                                [](const plugin::Resource& part) { return !part.id.empty(); })) +
         (cloud_id.empty() ? 0 : 1);
}

bool Machine::knows(const std::string& id) const {
  return cloud_id == id ||
         std::any_of(resources.begin(), resources.end(), [&](const plugin::Resource& part) { return part.id == id; });
}

Machine bare(const Machine& machine) {
  Machine out;
  out.is_disk = machine.is_disk;
  out.name = machine.name;
  out.display_name = machine.display_name;
  out.requested_address = machine.requested_address;
  out.create_op = machine.create_op;
  out.create_index = machine.create_index;
  out.create_size = machine.create_size;
  return out;
}

Machines bare(const Machines& machines) {
  Machines out;
  for (const Machine& machine : machines) out.push_back(bare(machine));
  return out;
}

std::string Answer::text() const {
  if (say == Say::kDone) return "DONE";
  if (say == Say::kPending) return "PENDING(" + std::to_string(retry_after_ms) + ")";
  return "ERROR " + toText(error);
}

bool Sight::shows(const std::string& id) const {
  return seen.cloud_id == id || std::any_of(seen.resources.begin(), seen.resources.end(),
                                            [&](const plugin::Resource& part) { return part.id == id; });
}

std::string Sight::text() const {
  if (failed) return "an error: " + toText(error);
  if (!seen.found) return "found = 0";
  const std::string machine = disk.found ? ", held by '" + disk.machine_id + "'" : "";
  return "found, state " + std::to_string(disk.found ? static_cast<int>(disk.state) : static_cast<int>(seen.state)) +
         ", id '" + seen.cloud_id + "', address '" + seen.address + "'" + machine + ", " +
         std::to_string(seen.resources.size()) + " parts";
}

}  // namespace vcp::check

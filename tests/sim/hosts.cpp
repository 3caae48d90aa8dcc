// SPDX-License-Identifier: Apache-2.0
#include "sim/hosts.h"

#include <fmt/format.h>

#include <algorithm>

namespace vcc::sim {

Status Hosts::visit(const std::string& address, const char* what) {
  const Life* life = scheduler_.current();
  if (life->dead) return unavailable("the process has died");
  witness_.tell(life->name, fmt::format("{} on {}", what, address));
  scheduler_.sleepUntil(scheduler_.now() + 1 + dice_.skewed(400));
  if (life->dead) return unavailable("the process has died");
  if (dice_.chance(unreachable)) return unavailable("cannot connect to " + address);
  return okStatus();
}

Status Hosts::back(const std::string& address) {
  scheduler_.sleepUntil(scheduler_.now() + 1 + dice_.skewed(400));
  if (dice_.chance(lost)) return unavailable("the connection to " + address + " broke");
  return okStatus();
}

FoundContainer* Hosts::find(const std::string& address, const std::string& container_id) {
  for (FoundContainer& container : servers_[address].containers) {
    if (container.id == container_id) return &container;
  }
  return nullptr;
}

bool Hosts::runs(const std::string& address, const std::string& node_id) const {
  const auto server = servers_.find(address);
  return server != servers_.end() && std::ranges::any_of(server->second.containers, [&](const FoundContainer& found) {
           return found.node_id == node_id && found.running;
         });
}

Result<HostReport> Hosts::inspect(const HostTarget& target, const std::string&, const HostNeeds&, HostLook look,
                                  std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(target.address, "inspect"));
  const Server& server = servers_[target.address];
  HostReport report;
  report.host_key = "ssh-ed25519 KEY-OF-" + target.address;
  if (look != HostLook::kContainers && !server.prepared) {
    report.lacking = {HostStep::kDocker, HostStep::kRegistries};
  } else {
    report.engine = "docker";
    report.image_present = server.has_image;
    report.containers = server.containers;
  }
  VCC_RETURN_IF_ERROR(back(target.address));
  return report;
}

Result<JobReport> Hosts::startJob(const HostTarget& target, const std::string& op_id, const HostJob& job,
                                  std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(target.address, "start job"));
  servers_[target.address].jobs.try_emplace(op_id, Job{scheduler_.now() + dice_.skewed(60'000), job});
  return stateOf(target, op_id);
}

Result<JobReport> Hosts::pollJob(const HostTarget& target, const std::string& op_id, std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(target.address, "poll job"));
  if (dice_.chance(lost)) servers_[target.address].jobs.erase(op_id);
  return stateOf(target, op_id);
}

Result<JobReport> Hosts::stateOf(const HostTarget& target, const std::string& op_id) {
  Server& server = servers_[target.address];
  const auto job = server.jobs.find(op_id);
  JobReport report;
  if (job != server.jobs.end()) {
    const bool done = scheduler_.now() >= job->second.done_at;
    report.state = done ? JobState::kDone : JobState::kRunning;
    if (done) {
      for (const HostStep step : job->second.what.steps) {
        server.has_image = server.has_image || step == HostStep::kImage;
        server.prepared = server.prepared || step == HostStep::kDocker;
      }
      server.jobs.erase(job);
      report.containers = server.containers;
    }
  }
  VCC_RETURN_IF_ERROR(back(target.address));
  return report;
}

Result<std::string> Hosts::runContainer(const HostTarget& target, const ContainerSpec& spec, std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(target.address, "run"));
  Server& server = servers_[target.address];
  if (!server.has_image) return notFound("there is no such image");
  FoundContainer made;
  made.id = fmt::format("c{}", ++made_);
  made.name = spec.name;
  made.running = true;
  for (const auto& [key, value] : spec.labels) {
    if (key == "vcp.vcc") made.vcc = value;
    if (key == "vcp.vcid") made.vcid = value;
    if (key == "vcp.unit") made.unit = value;
    if (key == "vcp.node_id") made.node_id = value;
    if (key == "vcp.address") made.address = value;
    if (key == "vcp.spec") made.spec_hash = value;
  }
  for (const FoundContainer& other : server.containers) {
    if (other.name == made.name) return alreadyExists("the name is taken");
    if (other.node_id == made.node_id) witness_.violation("node " + made.node_id + " gets a second container");
  }
  server.containers.push_back(made);
  VCC_RETURN_IF_ERROR(back(target.address));
  return made.id;
}

Status Hosts::startContainer(const HostTarget& target, const std::string& container_id, std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(target.address, "start"));
  FoundContainer* container = find(target.address, container_id);
  if (container == nullptr) return notFound("there is no such container");
  container->running = true;
  return back(target.address);
}

Status Hosts::stopContainer(const HostTarget& target, const std::string& container_id, std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(target.address, "stop"));
  FoundContainer* container = find(target.address, container_id);
  if (container == nullptr) return notFound("there is no such container");
  container->running = false;
  return back(target.address);
}

Status Hosts::removeContainer(const HostTarget& target, const std::string& container_id, std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(target.address, "remove"));
  std::erase_if(servers_[target.address].containers,
                [&](const FoundContainer& container) { return container.id == container_id; });
  return back(target.address);
}

Status Hosts::probeBanner(const std::string& address, int, std::int64_t) {
  VCC_RETURN_IF_ERROR(visit(address, "probe"));
  return back(address);
}

}  // namespace vcc::sim

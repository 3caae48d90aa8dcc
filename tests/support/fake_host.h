// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/host.h"

namespace vcc::test {

/// Servers in memory behind the Host interface. Each call may be made to fail by setting `failure`.
class FakeHost final : public Host {
 public:
  std::map<std::string, std::vector<FoundContainer>> containers;  ///< by address
  std::map<std::string, Status> failure;                          ///< by call: "inspect", "run", "probe" ...
  std::vector<std::string> calls;
  std::map<std::string, Status> unreachable;  ///< by address: what `inspect` says of it
  std::function<void()> on_inspect;           ///< called in every `inspect`
  bool image_present = true;
  JobState job = JobState::kUnknown;
  std::function<bool()> job_ends;  ///< asked at the start and at each poll; empty: at the first poll
  std::vector<HostStep> lacking;   ///< of the needs of a machine that was made; a job that is done mends it
  bool stubborn = false;           ///< it does not
  HostFacts facts{.system = "Ubuntu 24.04 LTS",
                  .machine = "x86_64",
                  .may_sudo = true,
                  .clock_synchronised = true,
                  .free_mib = 50000,
                  .taken_ports = {},
                  .missing_commands = {}};
  HostJob last_job;
  HostNeeds last_needs;
  HostLook last_look = HostLook::kContainers;
  ContainerSpec last_spec;
  HostTarget last_target;

  Result<HostReport> inspect(const HostTarget& target, const std::string&, const HostNeeds& needs, HostLook look,
                             std::int64_t) override {
    last_target = target;
    if (on_inspect) on_inspect();
    last_needs = needs;
    last_look = look;
    if (const Status s = call("inspect"); !s.ok()) return s;
    if (const auto away = unreachable.find(target.address); away != unreachable.end()) return away->second;
    HostReport report;
    report.host_key = "ssh-ed25519 KEY";
    if (look != HostLook::kContainers) report.lacking = lacking;
    if (look == HostLook::kAll) report.facts = facts;
    if (std::ranges::find(report.lacking, HostStep::kDocker) != report.lacking.end()) {
      report.engine_trouble = "there is no docker";
      return report;
    }
    report.engine = "docker";
    report.image_present = image_present;
    report.containers = containers[target.address];
    return report;
  }
  Result<JobReport> startJob(const HostTarget& target, const std::string&, const HostJob& wanted,
                             std::int64_t) override {
    last_job = wanted;
    if (const Status s = call("startJob"); !s.ok()) return s;
    if (job == JobState::kUnknown) job = job_ends && job_ends() ? JobState::kDone : JobState::kRunning;
    return stateOfJob(target);
  }
  Result<JobReport> pollJob(const HostTarget& target, const std::string&, std::int64_t) override {
    if (const Status s = call("pollJob"); !s.ok()) return s;
    if (job == JobState::kRunning && (!job_ends || job_ends())) job = JobState::kDone;
    return stateOfJob(target);
  }
  Result<std::string> runContainer(const HostTarget& target, const ContainerSpec& spec, std::int64_t) override {
    last_spec = spec;
    if (const Status s = call("run"); !s.ok()) return s;
    FoundContainer made;
    made.id = "c-" + spec.name;
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
    for (const FoundContainer& other : containers[target.address]) {
      if (other.name == made.name) return alreadyExists("name taken");
    }
    containers[target.address].push_back(made);
    return made.id;
  }
  Status startContainer(const HostTarget& target, const std::string& id, std::int64_t) override {
    return turn("start", target, id, true);
  }
  Status stopContainer(const HostTarget& target, const std::string& id, std::int64_t) override {
    return turn("stop", target, id, false);
  }
  Status removeContainer(const HostTarget& target, const std::string& id, std::int64_t) override {
    if (const Status s = call("remove"); !s.ok()) return s;
    std::erase_if(containers[target.address], [&](const FoundContainer& c) { return c.id == id; });
    return okStatus();
  }
  Status probeBanner(const std::string&, int, std::int64_t) override { return call("probe"); }

 private:
  JobReport stateOfJob(const HostTarget& target) {
    JobReport report;
    report.state = job;
    if (!last_job.steps.empty()) report.step = last_job.steps.back();
    report.detail = "the registry said no";
    if (job == JobState::kDone) {
      if (!stubborn) lacking.clear();
      image_present = true;
      report.lacking = lacking;
      report.containers = containers[target.address];
      job = JobState::kUnknown;
    }
    return report;
  }
  /// A server of which nothing is known takes any id, like a simulated one.
  Status turn(const std::string& name, const HostTarget& target, const std::string& id, bool running) {
    if (const Status s = call(name); !s.ok()) return s;
    const auto server = containers.find(target.address);
    if (server == containers.end()) return okStatus();
    for (FoundContainer& container : server->second) {
      if (container.id != id) continue;
      container.running = running;
      return okStatus();
    }
    return notFound("no such container: " + id);
  }
  Status call(const std::string& name) {
    calls.push_back(name);
    const auto it = failure.find(name);
    return it == failure.end() ? okStatus() : it->second;
  }
};

}  // namespace vcc::test

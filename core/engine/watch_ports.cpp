// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "engine/decider.h"
#include "engine/target_file.h"
#include "engine/watcher.h"
#include "model/records.h"

/// What the watching of hosts and the target file borrow from the engine.
namespace vcc {

WatchPort Decider::watchPort() {
  return {.store = seams_.store,
          .clock = seams_.clock,
          .log = seams_.log,
          .vcc_id = options_.vcc_id,
          .ports = [this](const std::string& node_id) { return watchedPortsOf(node_id); },
          .aim = [this](const std::string& node_id) { return watchAimOf(node_id); },
          .observe = [this](const std::string& node_id) { observeSoon(node_id); },
          // No node is busy with it: it reads the records anew, and may come between others.
          .commit = [this](Body body) { commit({}, std::move(body)); },
          .look = [this](const std::string& user, const std::string& unit_id, Job blocking,
                         Job after) { lookInTurn(user, unit_id, std::move(blocking), std::move(after)); },
          .later = [this](std::int64_t after_ms, Job job) { later(after_ms, std::move(job)); },
          .post = [inbox = inbox_](Job job) { inbox->post(std::move(job)); }};
}

TargetPort Decider::targetPort() {
  return {.store = seams_.store,
          .log = seams_.log,
          .has_gpu = [this](const std::string& node_id) { return watcher_->hasGpu(node_id); },
          .gpu_version = [this] { return watcher_->gpuVersion(); },
          .run =
              [this](Job blocking, Job after) {
                if (!targets_executor_) targets_executor_ = seams_.make_executor("targets", 1);
                runOn(*targets_executor_, std::move(blocking), std::move(after));
              },
          .later = [this](std::int64_t after_ms, Job job) { later(after_ms, std::move(job)); },
          .write = seams_.write_targets};
}

Result<WatchedPorts> Decider::watchedPortsOf(const std::string& node_id) {
  VCC_ASSIGN_OR_RETURN(const Visit visit, look(node_id));
  return WatchedPorts{visit.profile.simulated_hosts, visit.entry.ssh_port, visit.profile.ready_port,
                      fmt::format("{}/{}", visit.unit.instance, visit.unit.network)};
}

Result<WatchAim> Decider::watchAimOf(const std::string& node_id) {
  VCC_ASSIGN_OR_RETURN(const Visit visit, look(node_id));
  if (!visit.machine) return notFound(fmt::format("node {} has no machine", node_id));
  return WatchAim{visit.node, *visit.machine, targetOf(visit), &hostOf(visit), visit.profile.asserted};
}

/// Asks the cloud for the machine at the node's next visit, also when nothing is due.
void Decider::observeSoon(const std::string& node_id) {
  to_look_at_.insert(node_id);
  revisit({node_id});
}

void Decider::hearOfMembers(std::vector<SerfMember> members) {
  post([this, members = std::move(members)] { watcher_->hear(members); });
}

std::vector<Condition> Decider::conditions() const {
  std::vector<Condition> all = conditions_.all();
  for (Condition& condition : watcher_->conditions()) all.push_back(std::move(condition));
  return all;
}

}  // namespace vcc

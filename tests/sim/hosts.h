// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/host.h"
#include "sim/dice.h"
#include "sim/scheduler.h"
#include "sim/witness.h"

namespace vcc::sim {

/// What happens on the machines of a run: they answer late, or not at all, keep containers, are prepared and pull
/// images. What a process that died had begun there goes on; some jobs die.
class Hosts final : public Host {
 public:
  Hosts(Scheduler& scheduler, Dice& dice, Witness& witness) : scheduler_(scheduler), dice_(dice), witness_(witness) {}

  double unreachable = 0;  ///< chance of a visit that fails
  double lost = 0;         ///< chance of a visit that does its work and is not heard of

  Result<HostReport> inspect(const HostTarget& target, const std::string& image, const HostNeeds& needs, HostLook look,
                             std::int64_t deadline_ms) override;
  Result<JobReport> startJob(const HostTarget& target, const std::string& op_id, const HostJob& job,
                             std::int64_t deadline_ms) override;
  Result<JobReport> pollJob(const HostTarget& target, const std::string& op_id, std::int64_t deadline_ms) override;
  Result<std::string> runContainer(const HostTarget& target, const ContainerSpec& spec,
                                   std::int64_t deadline_ms) override;
  Status startContainer(const HostTarget& target, const std::string& container_id, std::int64_t deadline_ms) override;
  Status stopContainer(const HostTarget& target, const std::string& container_id, std::int64_t deadline_ms) override;
  Status removeContainer(const HostTarget& target, const std::string& container_id, std::int64_t deadline_ms) override;
  Status probeBanner(const std::string& address, int port, std::int64_t deadline_ms) override;

  /// True while a container of the node runs there.
  bool runs(const std::string& address, const std::string& node_id) const;

 private:
  struct Job {
    std::int64_t done_at = 0;
    HostJob what;
  };
  struct Server {
    std::vector<FoundContainer> containers;
    std::map<std::string, Job> jobs;  ///< by op id
    bool has_image = false;
    bool prepared = false;
  };
  /// The way there; not ok: the visit failed before it did anything.
  Status visit(const std::string& address, const char* what);
  /// The way back: what the visit did stays done.
  Status back(const std::string& address);
  Result<JobReport> stateOf(const HostTarget& target, const std::string& op_id);
  FoundContainer* find(const std::string& address, const std::string& container_id);

  Scheduler& scheduler_;
  Dice& dice_;
  Witness& witness_;
  std::map<std::string, Server> servers_;
  std::int64_t made_ = 0;
};

}  // namespace vcc::sim

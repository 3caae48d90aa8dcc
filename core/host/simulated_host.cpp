// SPDX-License-Identifier: Apache-2.0
#include "host/simulated_host.h"

namespace vcc {
namespace {

class SimulatedHost final : public Host {
 public:
  Result<HostReport> inspect(const HostTarget&, const std::string&, const HostNeeds&, HostLook, std::int64_t) override {
    HostReport report;
    report.host_key = "simulated";
    report.engine = "simulated";
    report.image_present = true;
    return report;
  }
  Result<JobReport> startJob(const HostTarget&, const std::string&, const HostJob&, std::int64_t) override {
    return done();
  }
  Result<JobReport> pollJob(const HostTarget&, const std::string&, std::int64_t) override { return done(); }
  Result<std::string> runContainer(const HostTarget&, const ContainerSpec& spec, std::int64_t) override {
    return "sim-" + spec.name;
  }
  Status startContainer(const HostTarget&, const std::string&, std::int64_t) override { return okStatus(); }
  Status stopContainer(const HostTarget&, const std::string&, std::int64_t) override { return okStatus(); }
  Status removeContainer(const HostTarget&, const std::string&, std::int64_t) override { return okStatus(); }
  Status probeBanner(const std::string&, int, std::int64_t) override { return okStatus(); }

 private:
  static JobReport done() {
    JobReport report;
    report.state = JobState::kDone;
    return report;
  }
};

}  // namespace

// Every machine is ready at once, so the clock is not asked.
std::unique_ptr<Host> makeSimulatedHost(const Clock&) { return std::make_unique<SimulatedHost>(); }

}  // namespace vcc

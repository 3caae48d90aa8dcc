// SPDX-License-Identifier: Apache-2.0
#include "host/simulated_host.h"

#include <doctest/doctest.h>

using namespace vcc;

TEST_CASE("a simulated machine is always ready") {
  SystemClock clock;
  auto host = makeSimulatedHost(clock);
  HostTarget target{"192.0.2.1", 22, "nobody", ""};
  auto report = host->inspect(target, "image:1", 1000);
  REQUIRE(report.ok());
  CHECK(report->image_present);
  CHECK(!report->host_key.empty());
  CHECK(report->containers.empty());
  HostNeeds needs;
  needs.registries = {"192.0.2.9:5000"};
  CHECK(host->inspect(target, "image:1", needs, HostLook::kNeeds, 1000)->lacking.empty());
  CHECK(host->startJob(target, "op", {{HostStep::kDocker, HostStep::kImage}, needs, "image:1"}, 1000)->state ==
        JobState::kDone);
  CHECK(host->pollJob(target, "op", 1000)->state == JobState::kDone);
  ContainerSpec spec;
  spec.name = "vcp-1";
  CHECK(*host->runContainer(target, spec, 1000) == "sim-vcp-1");
  CHECK(host->startContainer(target, "sim-vcp-1", 1000).ok());
  CHECK(host->stopContainer(target, "sim-vcp-1", 1000).ok());
  CHECK(host->removeContainer(target, "sim-vcp-1", 1000).ok());
  CHECK(host->probeBanner("192.0.2.1", 22, 1000).ok());
}

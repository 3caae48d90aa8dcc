// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "host/engine_words.h"
#include "host/host_facts.h"
#include "host/host_steps.h"

using namespace vcc;

TEST_CASE("what a host says of itself") {
  const ScriptAnswer answer(
      "vcp system Ubuntu 24.04.1 LTS\nvcp machine x86_64\nvcp sudo\nvcp clock\nvcp free 12345\nvcp lost flock\n"
      "vcp listens 0100007F:0016\nvcp listens 00000000:0947\nvcp listens 0500000A:46A3\nvcp end\n");
  const HostFacts facts = readFacts(answer, "10.0.0.5");
  CHECK(facts.system == "Ubuntu 24.04.1 LTS");
  CHECK(facts.machine == "x86_64");
  CHECK(facts.may_sudo);
  CHECK(facts.clock_synchronised);
  CHECK(facts.free_mib == 12345);
  CHECK(facts.missing_commands == std::vector<std::string>{"flock"});
  CHECK(facts.taken_ports == std::vector<int>{2375, 18083});  // its loopback is another address
}

TEST_CASE("nonsense of a host is left out") {
  const ScriptAnswer answer(
      "vcp free -1\nvcp listens\nvcp listens x:y\nvcp listens 00000000:\nvcp system \xff\nvcp end\n");
  const HostFacts facts = readFacts(answer, "10.0.0.5");
  CHECK_FALSE(facts.may_sudo);
  CHECK(facts.free_mib == 0);
  CHECK(facts.taken_ports.empty());
}

TEST_CASE("who listens where") {
  const std::vector<int> ports{22};
  for (const char* line : {"00000000:0016", "0500000A:0016", "00000000000000000000000000000000:0016",
                           "0000000000000000FFFF00000500000A:0016"}) {
    CAPTURE(line);
    CHECK(portsTaken({line, line}, "10.0.0.5", ports) == ports);
  }
  for (const char* line : {"0600000A:0016", "00000000:0017", "00000000000000000000000001000000:0016"}) {
    CAPTURE(line);
    CHECK(portsTaken({line}, "10.0.0.5", ports).empty());
  }
}

TEST_CASE("how many layers are there") {
  CHECK(layersText("3 7") == "3 of 7 layers");
  for (const char* text : {"", "3", "0 0", "x 7", "3 -1", "3 99999", "3  7", "3 7 "}) {
    CAPTURE(text);
    CHECK(layersText(text).empty());
  }
}

TEST_CASE("steps have names that lead back to them") {
  for (const HostStepInfo& info : hostSteps()) {
    CHECK(parseHostStep(info.name) == info.step);
    CHECK(hostStepInfo(info.step).name == info.name);
  }
  CHECK_FALSE(parseHostStep("reboot"));
}

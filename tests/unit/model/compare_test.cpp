// SPDX-License-Identifier: Apache-2.0
#include "model/compare.h"

#include <doctest/doctest.h>

#include <string>

using namespace vcc;

namespace {

Node settled(State state) {
  Node node;
  node.state = state;
  node.goal_seq = node.reached_seq = 1;
  return node;
}

Machine machine() {
  Machine made;
  made.cloud_id = "i-1";
  made.address = "10.0.0.1";
  return made;
}

CloudSight cloud(MachineState state) {
  CloudSight sight;
  sight.sight = Sight::kFound;
  sight.state = state;
  sight.cloud_id = "i-1";
  sight.address = "10.0.0.1";
  return sight;
}

ContainerSight container(bool running) {
  ContainerSight sight;
  sight.sight = Sight::kFound;
  sight.running = running;
  sight.status = running ? "running" : "exited";
  return sight;
}

CloudSight absent() {
  CloudSight sight;
  sight.sight = Sight::kAbsent;
  return sight;
}

std::string differenceOf(const Node& node, const CloudSight& sight, const ContainerSight& inside = {}) {
  const Machine made = machine();
  return compare(node, &made, sight, inside).difference;
}

}  // namespace

TEST_CASE("a state that is set by hand must be one that the cloud's word admits") {
  const auto of = [](const std::string& cloud, State state) {
    return admitsState({cloud, "-", "the cloud could not be asked: why"}, state).code();
  };
  CHECK(of("RUNNING", State::kRunning) == Code::kOk);
  CHECK(of("RUNNING", State::kSuspended) == Code::kOk);
  CHECK(of("STOPPED", State::kRunning) == Code::kFailedPrecondition);
  CHECK(of("STOPPED", State::kPowerOff) == Code::kOk);
  CHECK(of("absent", State::kPowerOff) == Code::kFailedPrecondition);
  CHECK(of("-", State::kRunning) == Code::kFailedPrecondition);
  CHECK(of("absent", State::kStopped) == Code::kOk);
  CHECK(of("-", State::kStopped) == Code::kOk);
  CHECK(of("RUNNING", State::kStopped) == Code::kFailedPrecondition);
  CHECK(of("RUNNING", State::kError) == Code::kOk);
  CHECK(of("not known", State::kError) == Code::kUnavailable);
  CHECK(admitsState({"STOPPED", "-", ""}, State::kRunning).message() ==
        "the cloud says STOPPED of the machine; for RUNNING it should say RUNNING");
}

TEST_CASE("a running node agrees with a running machine and a running container") {
  const Machine made = machine();
  const Comparison line = compare(settled(State::kRunning), &made, cloud(MachineState::kRunning), container(true));
  CHECK(line.cloud == machineStateName(MachineState::kRunning));
  CHECK(line.container == "running");
  CHECK(line.difference.empty());
  CHECK(differenceOf(settled(State::kRunning), cloud(MachineState::kRunning)).empty());  // simulated: no container
}

TEST_CASE("every way to differ is named") {
  const Node node = settled(State::kRunning);
  CHECK(differenceOf(node, absent()).find("does not have the machine") != std::string::npos);
  CHECK(differenceOf(node, cloud(MachineState::kStopped)).find("should say") != std::string::npos);
  CloudSight other = cloud(MachineState::kRunning);
  other.cloud_id = "i-2";
  CHECK(differenceOf(node, other).find("another machine: i-2") != std::string::npos);
  other = cloud(MachineState::kRunning);
  other.address = "10.0.0.9";
  CHECK(differenceOf(node, other).find("10.0.0.9") != std::string::npos);
  CHECK(differenceOf(node, cloud(MachineState::kRunning), container(false)).find("should run") != std::string::npos);
  ContainerSight inside;
  inside.sight = Sight::kAbsent;
  CHECK(differenceOf(node, cloud(MachineState::kRunning), inside).find("does not have") != std::string::npos);
  inside.sight = Sight::kUnknown;
  inside.why = "refused";
  CHECK(differenceOf(node, cloud(MachineState::kRunning), inside).find("refused") != std::string::npos);
  CHECK(compare(node, nullptr, {}, {}).difference == "the record has no machine");

  CHECK(differenceOf(settled(State::kSuspended), cloud(MachineState::kRunning), container(false)).empty());
  CHECK_FALSE(differenceOf(settled(State::kSuspended), cloud(MachineState::kRunning), container(true)).empty());
  CHECK(differenceOf(settled(State::kPowerOff), cloud(MachineState::kStopped)).empty());
  CHECK_FALSE(differenceOf(settled(State::kPowerOff), cloud(MachineState::kRunning)).empty());
}

TEST_CASE("what is under way may be anything; what cannot be seen is a difference all the same") {
  Node node = settled(State::kBooting);
  node.goal_seq = 2;
  CHECK(differenceOf(node, absent()).empty());
  CHECK(differenceOf(node, cloud(MachineState::kFailed)).empty());
  CloudSight blind;
  blind.sight = Sight::kUnknown;
  blind.why = "driver instance fake is not loaded";
  CHECK(differenceOf(node, blind).find("not loaded") != std::string::npos);
  CHECK(differenceOf(settled(State::kError), cloud(MachineState::kFailed)).empty());
  CHECK_FALSE(differenceOf(settled(State::kError), absent()).empty());
  CHECK(compare(settled(State::kError), nullptr, {}, {}).difference.empty());
}

TEST_CASE("a container is looked for where one should be") {
  Profile real;
  Profile simulated;
  simulated.simulated_hosts = true;
  CHECK(expectsContainer(settled(State::kRunning), real));
  CHECK(expectsContainer(settled(State::kSuspended), real));
  CHECK_FALSE(expectsContainer(settled(State::kRunning), simulated));
  CHECK_FALSE(expectsContainer(settled(State::kPowerOff), real));
  Node booting = settled(State::kRunning);
  booting.goal_seq = 2;
  CHECK_FALSE(expectsContainer(booting, real));
}

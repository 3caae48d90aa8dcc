// SPDX-License-Identifier: Apache-2.0
#include "model/compare.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace vcc {
namespace {

constexpr std::string_view kNothing = "-";
constexpr std::string_view kNotKnown = "not known";
constexpr std::string_view kAbsent = "absent";

/// What the cloud must say of a settled node's machine; nothing when it may say anything.
std::optional<MachineState> expectedState(State state) {
  switch (state) {
    case State::kRunning:
    case State::kSuspended:
    case State::kContainerError:
      return MachineState::kRunning;
    case State::kPowerOff:
      return MachineState::kStopped;
    default:
      return std::nullopt;
  }
}

std::string cloudDifference(const Node& node, const Machine& machine, const CloudSight& cloud) {
  if (cloud.sight == Sight::kAbsent) return "the cloud does not have the machine";
  if (!machine.cloud_id.empty() && !cloud.cloud_id.empty() && machine.cloud_id != cloud.cloud_id) {
    return fmt::format("the cloud has another machine: {}", cloud.cloud_id);
  }
  if (!machine.address.empty() && !cloud.address.empty() && machine.address != cloud.address) {
    return fmt::format("the machine's address in the cloud is {}", cloud.address);
  }
  const auto expected = expectedState(node.state);
  if (expected && cloud.state != *expected) {
    return fmt::format("the cloud should say {}", machineStateName(*expected));
  }
  return {};
}

std::string containerDifference(const Node& node, const ContainerSight& container) {
  switch (container.sight) {
    case Sight::kNone:
      return {};
    case Sight::kUnknown:
      return "the host could not be asked: " + container.why;
    case Sight::kAbsent:
      return "the host does not have the base container";
    case Sight::kFound:
      break;
  }
  if (container.running == (node.state == State::kRunning)) return {};
  return fmt::format("the base container should {}run", container.running ? "not " : "");
}

std::string cloudColumn(const CloudSight& cloud) {
  switch (cloud.sight) {
    case Sight::kNone:
      return std::string(kNothing);
    case Sight::kUnknown:
      return std::string(kNotKnown);
    case Sight::kAbsent:
      return std::string(kAbsent);
    case Sight::kFound:
      return std::string(machineStateName(cloud.state));
  }
  return {};
}

std::string containerColumn(const ContainerSight& container) {
  switch (container.sight) {
    case Sight::kNone:
      return std::string(kNothing);
    case Sight::kUnknown:
      return std::string(kNotKnown);
    case Sight::kAbsent:
      return std::string(kAbsent);
    case Sight::kFound:
      return container.status.empty() ? std::string(container.running ? "running" : "down") : container.status;
  }
  return {};
}

}  // namespace

bool expectsContainer(const Node& node, const Profile& profile) {
  return !profile.simulated_hosts && node.settled() &&
         (node.state == State::kRunning || node.state == State::kSuspended);
}

Status admitsState(const Comparison& line, State state) {
  const std::string& cloud = line.cloud;
  if (cloud == kNotKnown) return unavailable(line.difference);
  const auto expected = expectedState(state);
  if (expected && cloud != machineStateName(*expected)) {
    return failedPrecondition(fmt::format("the cloud says {} of the machine; for {} it should say {}",
                                          cloud == kNothing ? "nothing" : cloud, stateName(state),
                                          machineStateName(*expected)));
  }
  if (state == State::kStopped && cloud != kAbsent && cloud != kNothing) {
    return failedPrecondition(
        fmt::format("the cloud says {} of the machine; for {} there should be none", cloud, stateName(state)));
  }
  return okStatus();
}

Comparison compare(const Node& node, const Machine* machine, const CloudSight& cloud, const ContainerSight& container) {
  Comparison line{cloudColumn(cloud), containerColumn(container), {}};
  if (cloud.sight == Sight::kUnknown) {
    line.difference = "the cloud could not be asked: " + cloud.why;
    return line;
  }
  // What is under way may be anything, and what comes of it is for the engine to find out.
  if (!node.settled() || node.goal == Goal::kGone || (machine && machine->want_destroy)) return line;
  if (!machine) {
    if (expectedState(node.state)) line.difference = "the record has no machine";
    return line;
  }
  if (cloud.sight != Sight::kNone) line.difference = cloudDifference(node, *machine, cloud);
  if (line.difference.empty()) line.difference = containerDifference(node, container);
  return line;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "host/host_steps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kMostWords = 32;

constexpr std::array kSteps{
    HostStepInfo{HostStep::kDns, "dns", "setting the name servers", "it does not use the name servers of its network",
                 "check `cloud_instance_dns_servers` of the catalog entry"},
    HostStepInfo{HostStep::kTime, "time", "setting up chrony",
                 "its clock does not follow the time servers of its network",
                 "check `ntp_servers` of the catalog entry, and that the machine reaches its package archive"},
    HostStepInfo{HostStep::kDocker, "docker", "installing docker", "docker is missing or does not work",
                 "use an image that brings docker, or let the machine reach its package archive"},
    HostStepInfo{HostStep::kRegistries, "registries", "telling docker of the registries",
                 "docker does not take images from the controller's registries", "see the log of docker there"},
    HostStepInfo{HostStep::kSshPort, "ssh_port", "moving sshd off port 22",
                 "its sshd keeps port 22, which the base container needs", "see the log of sshd there"},
    HostStepInfo{HostStep::kImage, "image", "pulling the image", "the image is not there",
                 "check the image name and that the server reaches its registry"},
};

bool isWord(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == ':' ||
           c == '-';
  });
}

}  // namespace

std::span<const HostStepInfo> hostSteps() { return kSteps; }

const HostStepInfo& hostStepInfo(HostStep step) { return kSteps.at(static_cast<std::size_t>(step)); }

std::optional<HostStep> parseHostStep(std::string_view name) {
  const auto* found = std::ranges::find(kSteps, name, &HostStepInfo::name);
  return found == kSteps.end() ? std::nullopt : std::optional(found->step);
}

std::vector<std::string> hostStepCommands(HostStep step, const HostNeeds& needs) {
  switch (step) {
    case HostStep::kDocker:
      return {"sudo apt-get update && sudo apt-get install -y docker.io", "sudo systemctl enable --now docker"};
    case HostStep::kRegistries:
      if (needs.registries.empty()) return {};
      return {fmt::format("sudoedit /etc/docker/daemon.json   # add: \"insecure-registries\": [\"{}\"]",
                          fmt::join(needs.registries, "\", \"")),
              "sudo systemctl reload docker"};
    case HostStep::kSshPort:
      if (needs.ssh_port == 0) return {};
      return {"sudo sed -i -E 's/^[[:space:]]*Port[[:space:]]+22[[:space:]]*$/#&/' /etc/ssh/sshd_config",
              fmt::format("echo 'Port {}' | sudo tee /etc/ssh/sshd_config.d/10-vcp.conf", needs.ssh_port),
              "sudo sshd -t && sudo systemctl daemon-reload && sudo systemctl restart ssh"};
    case HostStep::kDns:
    case HostStep::kTime:
    case HostStep::kImage:
      break;
  }
  return {};
}

Status checkNeeds(const HostNeeds& needs) {
  for (const auto* words : {&needs.dns_servers, &needs.ntp_servers, &needs.registries}) {
    if (words->size() > kMostWords) {
      return invalidArgument(
          fmt::format("{} servers of one kind are far too many; correct the catalog entry", words->size()));
    }
    for (const std::string& word : *words) {
      if (!isWord(word)) {
        return invalidArgument(
            fmt::format("'{}' is neither a name nor an address; correct the catalog entry or the "
                        "registries in occtr.yml",
                        cleanUtf8(word, 80)));
      }
    }
  }
  if (needs.ssh_port < 0 || needs.ssh_port > 65535) return invalidArgument("there is no such port");
  return okStatus();
}

std::string joinSteps(std::span<const HostStep> steps) {
  std::string text;
  for (const HostStep step : steps) text.append(text.empty() ? "" : ", ").append(hostStepInfo(step).name);
  return text;
}

}  // namespace vcc

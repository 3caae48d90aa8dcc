// SPDX-License-Identifier: Apache-2.0
#include "engine/server_findings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "host/host_steps.h"

namespace vcc {

namespace {

using Level = ServerFinding::Level;

/// A base image and the images in it fill some gigabytes.
constexpr std::int64_t kUsualFreeMib = 10240;
constexpr int kContainerSshPort = 22;

bool lacks(const HostReport& seen, HostStep step) {
  return std::ranges::find(seen.lacking, step) != seen.lacking.end();
}

const FoundContainer* containerOn(const HostReport& seen, const std::string& address) {
  const auto found = std::ranges::find(seen.containers, address, &FoundContainer::address);
  return found == seen.containers.end() ? nullptr : &*found;
}

ServerFinding sshFinding(const HostReport& seen, const ServerContext& context) {
  const bool moved = context.target.ssh_port == context.ssh_port;
  if (moved) return {"ssh", Level::kOk, fmt::format("port {}, {}", context.ssh_port, seen.host_key), {}};
  return {"ssh", Level::kMissing,
          fmt::format("sshd answers on port {}, not on port {}", context.target.ssh_port, context.ssh_port),
          hostStepCommands(HostStep::kSshPort, context.needs)};
}

ServerFinding sudoFinding(const HostReport& seen, const ServerContext& context) {
  if (seen.facts.may_sudo) return {"sudo", Level::kOk, "without a password", {}};
  const std::string text = fmt::format("user {} may not use sudo without a password", context.target.user);
  // Enough for the base container; but nothing can be prepared.
  const bool enough = seen.engine == "docker";
  return {"sudo",
          enough ? Level::kNote : Level::kMissing,
          text,
          {fmt::format("echo '{} ALL=(ALL) NOPASSWD:ALL' | sudo tee /etc/sudoers.d/90-vcp", context.target.user)}};
}

ServerFinding dockerFinding(const HostReport& seen, const ServerContext& context) {
  if (seen.engine_trouble.empty() && !lacks(seen, HostStep::kDocker)) {
    return {"docker", Level::kOk, fmt::format("{} (`{}`)", seen.engine_version, seen.engine), {}};
  }
  return {"docker", Level::kMissing,
          seen.engine_trouble.empty() ? "a preparation of it was not finished" : seen.engine_trouble,
          hostStepCommands(HostStep::kDocker, context.needs)};
}

ServerFinding registryFinding(const HostReport& seen, const ServerContext& context) {
  const std::string all = fmt::format("{}", fmt::join(context.needs.registries, ", "));
  if (!lacks(seen, HostStep::kRegistries)) return {"registries", Level::kOk, all, {}};
  return {"registries", Level::kNote,
          fmt::format("docker does not take images from {} by plain HTTP; others it does", all),
          hostStepCommands(HostStep::kRegistries, context.needs)};
}

ServerFinding portFinding(const HostReport& seen, const ServerContext& context, bool in_use) {
  if (seen.facts.taken_ports.empty() || in_use) {
    return {"ports", Level::kOk, in_use ? "those of its base container" : "those of a base container are free", {}};
  }
  ServerFinding finding{
      "ports",
      Level::kMissing,
      fmt::format("the base container needs ports that others listen on: {}", fmt::join(seen.facts.taken_ports, ", ")),
      {}};
  for (const int port : seen.facts.taken_ports) {
    if (port == kContainerSshPort) {
      for (std::string& command : hostStepCommands(HostStep::kSshPort, context.needs)) {
        finding.commands.push_back(std::move(command));
      }
    } else {
      finding.commands.push_back(fmt::format("sudo ss -ltnp 'sport = :{}'   # and stop what it shows", port));
    }
  }
  return finding;
}

ServerFinding containerFinding(const FoundContainer* found, const ServerContext& context) {
  if (found == nullptr) {
    return context.claim.empty() ? ServerFinding{"use", Level::kOk, "no base container is on it", {}}
                                 : ServerFinding{"use", Level::kNote, "it is in use by " + context.claim, {}};
  }
  const bool ours = found->vcc == context.vcc_id;
  if (ours && !context.claim.empty()) {
    return {"use", Level::kNote, fmt::format("container {} of {} is on it", found->name, context.claim), {}};
  }
  return {"use",
          Level::kMissing,
          fmt::format("base container {} of {} is on it; nobody but you removes it", found->name,
                      ours ? "a node that no record of this controller knows" : "another controller"),
          {fmt::format("sudo docker rm -f -v {}", found->id.substr(0, 64))}};
}

void addFacts(std::vector<ServerFinding>& findings, const HostFacts& facts) {
  if (!facts.missing_commands.empty()) {
    findings.push_back({"commands",
                        Level::kMissing,
                        fmt::format("commands are missing: {}", fmt::join(facts.missing_commands, ", ")),
                        {"sudo apt-get install -y coreutils findutils sed util-linux"}});
  }
  if (!facts.clock_synchronised) {
    findings.push_back({"clock",
                        Level::kNote,
                        "its clock does not seem to be set by any time server",
                        {"sudo apt-get install -y chrony", "sudo systemctl enable --now chrony"}});
  }
  if (facts.free_mib < kUsualFreeMib) {
    findings.push_back({"disk", Level::kNote, fmt::format("{} MiB are free below /var/lib", facts.free_mib), {}});
  }
}

}  // namespace

std::vector<ServerFinding> findingsOf(const HostReport& seen, const ServerContext& context) {
  const FoundContainer* container = containerOn(seen, context.target.address);
  std::vector<ServerFinding> findings{
      {"system", Level::kOk, fmt::format("{}, {}", seen.facts.system, seen.facts.machine), {}},
      sshFinding(seen, context),
      sudoFinding(seen, context),
      dockerFinding(seen, context),
      registryFinding(seen, context),
      portFinding(seen, context, container != nullptr && container->running),
      containerFinding(container, context)};
  addFacts(findings, seen.facts);
  return findings;
}

ServerFinding loginFinding(const Status& error, const HostTarget& target, const std::string& public_key) {
  ServerFinding finding{"ssh", Level::kMissing, error.message(), {}};
  if (error.code() == Code::kUnauthenticated) {
    finding.commands = {
        fmt::format("sudo -u {} sh -c 'umask 077; mkdir -p ~/.ssh; echo \"{}\" >>~/.ssh/authorized_keys'", target.user,
                    public_key)};
  }
  return finding;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "engine/existing_servers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/admission.h"
#include "engine/host_needs.h"
#include "engine/server_findings.h"
#include "host/host_steps.h"
#include "store/schema.h"

namespace vcc {

namespace {

constexpr char kProvider[] = "onpremises";
constexpr std::int64_t kVisitMs = 12000;
constexpr int kAtOnce = 4;
constexpr int kOrdinaryPort = 22;

/// It is printed in commands.
bool isUserName(const std::string& user) {
  return !user.empty() && user.size() <= 32 && user.front() != '-' && std::ranges::all_of(user, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

/// A server whose sshd was not moved yet is found at the ordinary port.
template <typename Visit>
auto visitEither(HostTarget& target, Visit visit) {
  auto answer = visit(target);
  if (answer.status().code() != Code::kUnavailable || target.ssh_port == kOrdinaryPort) return answer;
  HostTarget other = target;
  other.ssh_port = kOrdinaryPort;
  auto second = visit(other);
  if (!second.ok()) return answer;
  target = other;
  return second;
}

}  // namespace

/// One of the few places.
class ExistingServers::Turn {
 public:
  explicit Turn(std::atomic<int>& under_way) : under_way_(under_way), granted_(++under_way <= kAtOnce) {}
  ~Turn() { --under_way_; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Status status() const {
    return granted_ ? okStatus() : resourceExhausted("several servers are being looked at; try again in a moment");
  }

 private:
  std::atomic<int>& under_way_;
  bool granted_;
};

Result<ExistingServers::Plan> ExistingServers::planFor(const ServerQuestion& question) const {
  if (!isUserName(question.user)) {
    return invalidArgument(fmt::format("user '{}' is not the name of a user", cleanUtf8(question.user, 64)));
  }
  const DriverSlot* slot = seams_.drivers.byProvider(kProvider);
  if (slot == nullptr || !slot->driver) {
    return unavailable("the driver onpremises is not loaded; see `vcc plugin list`");
  }
  Plan plan;
  VCC_ASSIGN_OR_RETURN(plan.entry, seams_.catalog()->entry(kProvider, question.network));
  const DriverInfo& info = slot->driver->info();
  VCC_RETURN_IF_ERROR(
      admitAddresses({info, plan.entry, options_.evaluation, options_.own_addresses}, {question.address}));
  std::string controller = options_.controller_address;
  if (controller.empty()) {
    VCC_ASSIGN_OR_RETURN(controller, seams_.source_address(question.address));
  }
  plan.needs.registries = registriesOf(controller, options_.plain_registries);
  plan.needs.ssh_port = plan.entry.ssh_port;
  plan.target = {question.address, plan.entry.ssh_port, question.user, question.host_key};
  seams_.store.read([&](const ReadTx& tx) {
    const Address wanted{slot->instance, addressSpace(info, question.network), question.address, "", ""};
    const Address* taken = tx.addresses().find(Schema<Address>::key(wanted));
    const Node* node = taken == nullptr ? nullptr : tx.nodes().find(taken->node_id);
    const Unit* unit = node == nullptr ? nullptr : tx.units().find(node->unit_id);
    if (unit != nullptr) {
      plan.claim = fmt::format("node {} of unit {} of UnitGroup {}", node->node_no, unit->name, unit->vcid);
    }
  });
  return plan;
}

Result<ServerReport> ExistingServers::check(const ServerQuestion& question) {
  const Turn turn(under_way_);
  VCC_RETURN_IF_ERROR(turn.status());
  VCC_ASSIGN_OR_RETURN(Plan plan, planFor(question));
  const int wanted_port = plan.target.ssh_port;
  const auto seen = visitEither(plan.target, [&](const HostTarget& target) {
    return seams_.host.inspect(target, "", plan.needs, HostLook::kAll, kVisitMs);
  });
  ServerReport report;
  if (seen.ok()) {
    report.host_key = seen->host_key;
    report.findings = findingsOf(*seen, {plan.target, wanted_port, plan.needs, options_.vcc_id, plan.claim});
  } else {
    report.findings = {loginFinding(seen.status(), plan.target, options_.public_key)};
  }
  report.ready = std::ranges::none_of(
      report.findings, [](const ServerFinding& finding) { return finding.level == ServerFinding::Level::kMissing; });
  return report;
}

Result<ServerJob> ExistingServers::prepare(const ServerQuestion& question) {
  const Turn turn(under_way_);
  VCC_RETURN_IF_ERROR(turn.status());
  VCC_ASSIGN_OR_RETURN(Plan plan, planFor(question));
  const std::string refusal = fmt::format("server {} is not prepared: ", question.address);
  if (!plan.claim.empty()) return failedPrecondition(refusal + "it is in use by " + plan.claim);
  VCC_ASSIGN_OR_RETURN(const HostReport seen, visitEither(plan.target, [&](const HostTarget& target) {
                         return seams_.host.inspect(target, "", plan.needs, HostLook::kAll, kVisitMs);
                       }));
  const auto container = std::ranges::find(seen.containers, question.address, &FoundContainer::address);
  if (container != seen.containers.end()) {
    return failedPrecondition(fmt::format(
        "{}base container {} is on it; delete its node, or remove the container there", refusal, container->name));
  }
  if (!seen.facts.may_sudo) {
    return failedPrecondition(
        fmt::format("{}user {} may not use sudo without a password; `vcc onprem check {}` shows "
                    "the command that allows it",
                    refusal, question.user, question.address));
  }
  ServerJob job;
  job.id = hexEncode(sha256(fmt::format("prepare\n{}\n{}", options_.vcc_id, question.address))).substr(0, 32);
  job.host_key = seen.host_key;
  plan.target.host_key = seen.host_key;
  const HostJob what{{HostStep::kDocker, HostStep::kRegistries, HostStep::kSshPort}, plan.needs, ""};
  VCC_ASSIGN_OR_RETURN(job.report, seams_.host.startJob(plan.target, job.id, what, kVisitMs));
  return job;
}

Result<ServerJob> ExistingServers::poll(const ServerQuestion& question, const std::string& id) {
  const Turn turn(under_way_);
  VCC_RETURN_IF_ERROR(turn.status());
  VCC_ASSIGN_OR_RETURN(Plan plan, planFor(question));
  ServerJob job{id, question.host_key, {}};
  VCC_ASSIGN_OR_RETURN(job.report, visitEither(plan.target, [&](const HostTarget& target) {
                         return seams_.host.pollJob(target, id, kVisitMs);
                       }));
  return job;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/decider.h"
#include "engine/host_needs.h"
#include "engine/transitions.h"
#include "host/host_steps.h"

/// What must be done on a machine before its container can be started: one detached job on the machine, under an id
/// that is found again after a restart, started and then asked for (architecture 25, 26).
namespace vcc {

namespace {

constexpr std::int64_t kPatience = 3;
constexpr std::int64_t kSecondLookMs = 5000;
constexpr char kPrepared[] = "looking whether all is there";

/// The longer a job has been under way, the longer it is likely to go on: each poll is a login.
std::int64_t jobPause(std::int64_t age_ms) { return std::clamp<std::int64_t>(age_ms / 2, 500, 10000); }

/// One id for every try of this step on this machine, so that a restart finds the running job again.
std::string jobId(const Visit& visit, const std::string& image) {
  return hexEncode(sha256(fmt::format("job\n{}\n{}\n{}", stepName(visit.node.step), visit.machine->machine_id, image)))
      .substr(0, 32);
}

HostJob jobFor(Step step, const HostNeeds& needs, const std::string& image) {
  HostJob job;
  job.needs = needs;
  job.image = image;
  for (const HostStepInfo& info : hostSteps()) {
    if (step == Step::kPrepare || info.step == HostStep::kImage) job.steps.push_back(info.step);
  }
  return job;
}

std::string progressText(const JobReport& report, const std::string& image) {
  if (!report.step) return "the preparation has begun";
  std::string text(hostStepInfo(*report.step).doing);
  if (*report.step == HostStep::kImage) text += " " + image;
  return report.progress.empty() ? text : fmt::format("{}: {}", text, report.progress);
}

std::string failureText(const JobReport& report, const std::string& image, const Visit& visit) {
  const HostStepInfo& info = hostStepInfo(report.step.value_or(HostStep::kImage));
  const std::string what = info.step == HostStep::kImage ? "pulling image " + image : std::string(info.doing);
  std::string text = fmt::format("{} on {} failed: {}; {}", what, visit.machine->address,
                                 report.detail.empty() ? "it gave no reason" : report.detail, info.remedy);
  if (visit.profile.asserted) text += "; " + checkHint(visit.machine->address);
  return text;
}

}  // namespace

Result<HostNeeds> Decider::needsOf(const Visit& visit) const {
  if (visit.profile.asserted) return HostNeeds{};
  VCC_ASSIGN_OR_RETURN(const std::string controller, controllerAddressFor(visit));
  HostNeeds needs;
  needs.dns_servers = visit.entry.dns_servers;
  needs.ntp_servers = visit.entry.ntp_servers;
  needs.registries = registriesOf(controller, options_.plain_registries);
  needs.ssh_port = visit.entry.ssh_port;
  return needs;
}

/// What a job has done, and the machine still lacks: looked at again, not done again, for it would be the same.
void Decider::lookAgainAfterJob(const Visit& visit, const HostReport& seen) {
  const HostStepInfo& info = hostStepInfo(seen.lacking.front());
  std::string text = fmt::format("{} was prepared, and still {}", visit.machine->address, info.lack);
  if (!seen.engine_trouble.empty()) text += fmt::format(" ({})", seen.engine_trouble);
  text += fmt::format("; {}", info.remedy);
  if (visit.node.attempts + 1 >= kPatience) return giveUp(visit, text);
  commit({visit.node.node_id}, [id = visit.node.node_id, seen_goal = visit.node.goal_seq, text](Tx& tx) -> Status {
    const Node* found = tx.nodes().find(id);
    if (!found || found->goal_seq != seen_goal) return okStatus();
    Node node = *found;
    node.attempts += 1;
    node.next_at = tx.now() + kSecondLookMs;
    node.fault = {tx.now(), text};
    return tx.nodes().put(std::move(node));
  });
}

void Decider::beginPreparation(const Visit& visit, const HostReport& seen) {
  if (visit.node.progress == kPrepared) return lookAgainAfterJob(visit, seen);
  noteLogin(visit, seen.host_key, Step::kPrepare, nullptr);
}

bool Decider::prepareHost(const Visit& visit) {
  const auto spec = specOf(visit);
  const auto needs = needsOf(visit);
  if (!spec.ok() || !needs.ok()) {
    giveUp(visit, (spec.ok() ? needs.status() : spec.status()).message());
    return false;
  }
  auto report = std::make_shared<Result<JobReport>>(unavailable(""));
  onHost(
      visit,
      [report, &host = hostOf(visit), target = targetOf(visit), id = jobId(visit, spec->image),
       job = jobFor(visit.node.step, *needs, spec->image), started = !visit.node.progress.empty()] {
        *report = started ? host.pollJob(target, id, kHostLookMs) : host.startJob(target, id, job, kHostLookMs);
      },
      [this, visit, report, spec = *spec] { noteJob(visit, spec, *report); });
  return true;
}

/// Its last answer says what is there now, which was not seen before.
void Decider::endPreparation(const Visit& visit, const ContainerSpec& spec, const JobReport& report) {
  if (visit.node.step == Step::kImage) return goTo(visit, Step::kContainer);
  if (!report.lacking.empty()) return goTo(visit, Step::kSsh, [](Node& node) { node.progress = kPrepared; });
  HostReport seen;
  seen.host_key = visit.machine->host_key;
  seen.image_present = true;
  seen.containers = report.containers;
  noteHost(visit, spec, seen);
}

void Decider::noteJob(const Visit& visit, const ContainerSpec& spec, const Result<JobReport>& report) {
  const std::string& image = spec.image;
  if (!report.ok()) return failStep(visit, report.status(), CallKind::kExisting);
  switch (report->state) {
    case JobState::kDone:
      return endPreparation(visit, spec, *report);
    case JobState::kFailed: {
      const std::string why = failureText(*report, image, visit);
      if (visit.node.attempts + 1 >= kPatience) return giveUp(visit, why);
      return failStep(visit, unavailable(why), CallKind::kExisting);
    }
    case JobState::kUnknown:
      return failStep(visit, unavailable("the job there was killed; it is begun again"), CallKind::kExisting);
    case JobState::kRunning:
      return noteProgress(visit, progressText(*report, image));
  }
}

/// The pause is recorded, or a visit that waiting for the turn has left in the agenda would end it early.
void Decider::noteProgress(const Visit& visit, const std::string& progress) {
  const std::string& id = visit.node.node_id;
  commit({id},
         [id, progress, pause = jobPause(visit.now - visit.node.step_at), seen = visit.node.goal_seq,
          step = visit.node.step](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(id);
           if (!found || found->goal_seq != seen || found->step != step) return okStatus();
           Node node = *found;
           node.progress = progress;
           node.next_at = tx.now() + pause;
           return tx.nodes().put(std::move(node));
         });
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "host/ssh_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/encoding.h"
#include "host/container_args.h"
#include "host/container_list.h"
#include "host/engine_words.h"
#include "host/host_facts.h"
#include "host/host_steps.h"
#include "host/probe.h"
#include "host/remote_commands.h"
#include "host/script_answer.h"

namespace vcc {
namespace {

constexpr std::size_t kContainersLimit = 2000;

struct Answer {
  SshOutput output;
  ScriptAnswer script;
  Status trouble;  ///< what the script found before it could do its work
};

std::string joinWords(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// The lines that kReadNeeds of remote_commands.h reads.
std::string needLines(const HostNeeds& needs) {
  return fmt::format("{}\n{}\n{}\n{}\n", joinWords(needs.dns_servers), joinWords(needs.ntp_servers),
                     joinWords(needs.registries), needs.ssh_port);
}

std::string_view lookWord(HostLook look) {
  switch (look) {
    case HostLook::kContainers:
      return "look";
    case HostLook::kNeeds:
      return "needs";
    case HostLook::kAll:
      break;
  }
  return "all";
}

class SshHost final : public Host {
 public:
  SshHost(SshKey key, const Clock& clock, Logger& log) : key_(std::move(key)), clock_(clock), log_(log) {}

  Result<HostReport> inspect(const HostTarget& target, const std::string& image, const HostNeeds& needs, HostLook look,
                             std::int64_t deadline_ms) override;
  Result<JobReport> startJob(const HostTarget& target, const std::string& op_id, const HostJob& job,
                             std::int64_t deadline_ms) override;
  Result<JobReport> pollJob(const HostTarget& target, const std::string& op_id, std::int64_t deadline_ms) override;
  Result<std::string> runContainer(const HostTarget& target, const ContainerSpec& spec,
                                   std::int64_t deadline_ms) override;
  Status startContainer(const HostTarget& target, const std::string& id, std::int64_t deadline_ms) override {
    return change(target, "start", {"start", "--", id}, id, deadline_ms);
  }
  Status stopContainer(const HostTarget& target, const std::string& id, std::int64_t deadline_ms) override {
    return change(target, "stop", {"stop", "--", id}, id, deadline_ms);
  }
  Status removeContainer(const HostTarget& target, const std::string& id, std::int64_t deadline_ms) override {
    Status status = change(target, "remove", {"rm", "-f", "-v", "--", id}, id, deadline_ms);
    return status.code() == Code::kNotFound ? okStatus() : status;
  }
  Status probeBanner(const std::string& address, int port, std::int64_t deadline_ms) override {
    return probeSshBanner(address, port, Deadline(clock_, deadline_ms));
  }

 private:
  Result<Answer> visit(const HostTarget& target, std::string_view step, RemoteCommand command,
                       const std::vector<std::string>& args, const std::string& head,
                       const std::vector<std::string>& environment, std::int64_t deadline_ms);
  Result<JobReport> askJob(const HostTarget& target, std::string_view step, RemoteCommand command,
                           const std::vector<std::string>& args, const std::string& head, std::int64_t deadline_ms);
  Result<std::string> docker(const HostTarget& target, const std::string& step, const std::vector<std::string>& args,
                             const std::vector<std::string>& environment, Code refused, std::int64_t deadline_ms);
  Status change(const HostTarget& target, std::string_view verb, const std::vector<std::string>& args,
                const std::string& id, std::int64_t deadline_ms);

  SshKey key_;
  const Clock& clock_;
  Logger& log_;
};

Status stepError(const HostTarget& target, std::string_view step, Status status) {
  status.prepend(fmt::format("{}: {}", hostName(target), step));
  return status;
}

/// The trouble that a script found before it could do its work. `words` are cleaned.
Status scriptTrouble(const HostTarget& target, const ScriptAnswer& script, const std::string& words) {
  auto error = [&](Code code, std::string text) {
    return Status(code, fmt::format("{}: container engine: {}", hostName(target), text), Outcome::kNotApplied);
  };
  auto user = cleanUtf8(target.user, 64);
  if (script.value("missing")) {
    return error(Code::kFailedPrecondition,
                 fmt::format("there is no docker command for user '{}'; install docker on the host, and let the user "
                             "use it: usermod -aG docker {}, or sudo without a password",
                             user, user));
  }
  if (script.value("denied")) {
    return error(
        Code::kFailedPrecondition,
        fmt::format("user '{}' may use neither docker nor sudo -n docker ({}); either usermod -aG docker {}, or "
                    "allow sudo without a password (NOPASSWD)",
                    user, words, user));
  }
  if (script.value("broken")) {
    return error(
        Code::kFailedPrecondition,
        fmt::format("docker does not work ({}); start it on the host (systemctl start docker) and see its log", words));
  }
  if (script.value("nofolder")) {
    return error(Code::kFailedPrecondition,
                 fmt::format("cannot write to the folder .vcp-jobs of user '{}' ({}); make room there or correct its "
                             "owner",
                             user, words));
  }
  return okStatus();
}

/// One ssh session that runs one of our scripts to its end.
Result<Answer> SshHost::visit(const HostTarget& target, std::string_view step, RemoteCommand command,
                              const std::vector<std::string>& args, const std::string& head,
                              const std::vector<std::string>& environment, std::int64_t deadline_ms) {
  auto input = joinArgs(args);
  if (!input.ok()) {
    return Status(input.status().code(), fmt::format("{}: {}: {}", hostName(target), step, input.status().message()),
                  Outcome::kNotApplied);
  }
  std::int64_t begin_ms = clock_.monoMs();
  auto output = sshExec(key_, target, command, head + *input, Deadline(clock_, deadline_ms));
  log_.debug("HOST_VISIT", output.ok() ? "visited" : "visit failed",
             {{"host", hostName(target)}, {"step", step}, {"took_ms", clock_.monoMs() - begin_ms}});
  if (!output.ok()) {
    if (output.status().code() == Code::kPermissionDenied) {
      log_.warn("HOST_KEY_CHANGED", output.status().message(), {{"host", hostName(target)}});
    }
    return output.status();
  }
  ScriptAnswer script(output->out);
  std::string words = engineWords(output->err, environment);
  if (!script.complete()) {
    std::string cause = output->signal.empty() ? fmt::format("exit status {}", output->exit_status)
                                               : fmt::format("signal {}", output->signal);
    return Status(Code::kUnavailable,
                  fmt::format("{}: {}: the command on the host ended early ({}; it said: {}); see the host's log, and "
                              "check that the user's login shell runs commands",
                              hostName(target), step, cause, words),
                  Outcome::kUnknown);
  }
  Status trouble = scriptTrouble(target, script, words);
  return Answer{std::move(output).value(), std::move(script), std::move(trouble)};
}

/// Runs docker with `args`; its output. A refusal that its words do not explain gets the code `refused`.
Result<std::string> SshHost::docker(const HostTarget& target, const std::string& step,
                                    const std::vector<std::string>& args, const std::vector<std::string>& environment,
                                    Code refused, std::int64_t deadline_ms) {
  VCC_ASSIGN_OR_RETURN(Answer answer, visit(target, step, remote::kDocker, args, "", environment, deadline_ms));
  VCC_RETURN_IF_ERROR(answer.trouble);
  if (answer.script.value("rc") == "0") return answer.script.output();
  return stepError(target, step, engineRefusal(engineWords(answer.output.err, environment), refused));
}

Status SshHost::change(const HostTarget& target, std::string_view verb, const std::vector<std::string>& args,
                       const std::string& id, std::int64_t deadline_ms) {
  std::string step = fmt::format("{} container {}", verb, cleanUtf8(id, 80));
  if (Status status = checkContainerId(id); !status.ok()) return stepError(target, step, status);
  return docker(target, step, args, {}, Code::kInternal, deadline_ms).status();
}

/// The containers in the script's answer.
Status readContainers(const ScriptAnswer& script, std::vector<FoundContainer>& containers) {
  const auto lines = script.values("container");
  if (lines.size() > kContainersLimit) {
    return internalError("far more base containers than one host can hold; remove old ones");
  }
  for (const auto& line : lines) {
    auto found = parseContainer(line);
    if (!found.ok()) {
      return internalError(
          fmt::format("the engine's description of a container cannot be read ({}); is docker there "
                      "really docker or podman?",
                      found.status().message()));
    }
    containers.push_back(std::move(found).value());
  }
  return okStatus();
}

std::vector<HostStep> readLacks(const ScriptAnswer& script) {
  const auto lacks = script.values("lacks");
  std::vector<HostStep> lacking;
  for (const HostStepInfo& step : hostSteps()) {
    if (std::ranges::find(lacks, step.name) != lacks.end()) lacking.push_back(step.step);
  }
  return lacking;
}

Result<HostReport> SshHost::inspect(const HostTarget& target, const std::string& image, const HostNeeds& needs,
                                    HostLook look, std::int64_t deadline_ms) {
  constexpr char kStep[] = "look at the containers";
  if (!image.empty()) {
    if (Status status = checkImage(image); !status.ok()) return stepError(target, kStep, status);
  }
  if (Status status = checkNeeds(needs); !status.ok()) return stepError(target, kStep, status);
  VCC_ASSIGN_OR_RETURN(Answer answer,
                       visit(target, kStep, remote::kInspect, {"image", "inspect", "--format", "found", "--", image},
                             fmt::format("{}\n{}", lookWord(look), needLines(needs)), {}, deadline_ms));
  HostReport report;
  report.host_key = answer.output.host_key;
  if (answer.trouble.ok()) {
    report.engine = cleanUtf8(answer.script.value("engine").value_or(""), 32);
    report.engine_version = cleanUtf8(answer.script.value("version").value_or(""), 64);
    report.image_present = answer.script.value("image") == "yes";
    if (Status read = readContainers(answer.script, report.containers); !read.ok()) {
      return stepError(target, kStep, read);
    }
  } else {
    if (look == HostLook::kContainers) return answer.trouble;
    report.engine_trouble = answer.trouble.message();
  }
  report.lacking = readLacks(answer.script);
  if (look == HostLook::kAll) report.facts = readFacts(answer.script, target.address);
  return report;
}

Result<JobReport> SshHost::askJob(const HostTarget& target, std::string_view step, RemoteCommand command,
                                  const std::vector<std::string>& args, const std::string& head,
                                  std::int64_t deadline_ms) {
  VCC_ASSIGN_OR_RETURN(Answer answer, visit(target, step, command, args, head, {}, deadline_ms));
  VCC_RETURN_IF_ERROR(answer.trouble);
  const std::string state = answer.script.value("job").value_or("unknown");
  JobReport report;
  report.step = parseHostStep(answer.script.value("step").value_or(""));
  report.detail = engineWords(answer.script.output(), {});
  report.progress = layersText(answer.script.value("layers").value_or(""));
  if (state == "running") report.state = JobState::kRunning;
  if (state == "ended 0") {
    report.state = JobState::kDone;
    if (Status read = readContainers(answer.script, report.containers); !read.ok()) {
      return stepError(target, step, read);
    }
    report.lacking = readLacks(answer.script);
  } else if (state.starts_with("ended")) {
    report.state = JobState::kFailed;
  }
  return report;
}

Result<JobReport> SshHost::startJob(const HostTarget& target, const std::string& op_id, const HostJob& job,
                                    std::int64_t deadline_ms) {
  const std::string step = fmt::format("start the job ({})", joinSteps(job.steps));
  if (!isId(op_id)) return stepError(target, step, invalidArgument("the op id is not an id"));
  std::vector<std::string> names;
  std::vector<std::string> args;
  for (const HostStep one : job.steps) {
    names.emplace_back(hostStepInfo(one).name);
    if (one != HostStep::kImage) continue;
    if (Status status = checkImage(job.image); !status.ok()) return stepError(target, step, status);
    args = {"pull", "--", job.image};
  }
  if (Status status = checkNeeds(job.needs); !status.ok()) return stepError(target, step, status);
  return askJob(target, step, remote::kStartJob, args,
                fmt::format("{}\n{}\n{}", op_id, joinWords(names), needLines(job.needs)), deadline_ms);
}

Result<JobReport> SshHost::pollJob(const HostTarget& target, const std::string& op_id, std::int64_t deadline_ms) {
  constexpr char kStep[] = "ask for the job";
  if (!isId(op_id)) return stepError(target, kStep, invalidArgument("the op id is not an id"));
  return askJob(target, kStep, remote::kPollJob, {}, op_id + "\n", deadline_ms);
}

Result<std::string> SshHost::runContainer(const HostTarget& target, const ContainerSpec& spec,
                                          std::int64_t deadline_ms) {
  std::string step = fmt::format("run container {}", cleanUtf8(spec.name, 80));
  auto args = runArgs(spec);
  if (!args.ok()) return stepError(target, step, args.status());
  VCC_ASSIGN_OR_RETURN(std::string printed,
                       docker(target, step, *args, spec.environment, Code::kInvalidArgument, deadline_ms));
  // The id stands on the last line; warnings of the engine may precede it.
  std::string id = printed.substr(printed.find_last_of('\n') + 1);
  if (Status status = checkContainerId(id); !status.ok()) {
    return stepError(target, step,
                     {Code::kInternal, "the engine printed no container id; look at the host", Outcome::kUnknown});
  }
  return id;
}

}  // namespace

std::unique_ptr<Host> makeSshHost(const SshKey& key, const Clock& clock, Logger& log) {
  return std::make_unique<SshHost>(key, clock, log);
}

}  // namespace vcc

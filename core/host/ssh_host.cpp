// SPDX-License-Identifier: Apache-2.0
#include "host/ssh_host.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "host/container_args.h"
#include "host/container_list.h"
#include "host/engine_words.h"
#include "host/probe.h"
#include "host/remote_commands.h"
#include "host/script_answer.h"

namespace vcc {
namespace {

constexpr std::size_t kContainersLimit = 2000;

struct Answer {
  SshOutput output;
  ScriptAnswer script;
};

class SshHost final : public Host {
 public:
  SshHost(SshKey key, const Clock& clock, Logger& log) : key_(std::move(key)), clock_(clock), log_(log) {}

  Result<HostReport> inspect(const HostTarget& target, const std::string& image, std::int64_t deadline_ms) override;
  Status startPull(const HostTarget& target, const std::string& op_id, const std::string& image,
                   std::int64_t deadline_ms) override;
  Result<JobReport> pollPull(const HostTarget& target, const std::string& op_id, std::int64_t deadline_ms) override;
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
  VCC_RETURN_IF_ERROR(scriptTrouble(target, script, words));
  return Answer{std::move(output).value(), std::move(script)};
}

/// Runs docker with `args`; its output. A refusal that its words do not explain gets the code `refused`.
Result<std::string> SshHost::docker(const HostTarget& target, const std::string& step,
                                    const std::vector<std::string>& args, const std::vector<std::string>& environment,
                                    Code refused, std::int64_t deadline_ms) {
  VCC_ASSIGN_OR_RETURN(Answer answer, visit(target, step, remote::kDocker, args, "", environment, deadline_ms));
  if (answer.script.value("rc") == "0") return answer.script.output();
  return stepError(target, step, engineRefusal(engineWords(answer.output.err, environment), refused));
}

Status SshHost::change(const HostTarget& target, std::string_view verb, const std::vector<std::string>& args,
                       const std::string& id, std::int64_t deadline_ms) {
  std::string step = fmt::format("{} container {}", verb, cleanUtf8(id, 80));
  if (Status status = checkContainerId(id); !status.ok()) return stepError(target, step, status);
  return docker(target, step, args, {}, Code::kInternal, deadline_ms).status();
}

Result<HostReport> SshHost::inspect(const HostTarget& target, const std::string& image, std::int64_t deadline_ms) {
  constexpr char kStep[] = "look at the containers";
  if (!image.empty()) {
    if (Status status = checkImage(image); !status.ok()) return stepError(target, kStep, status);
  }
  VCC_ASSIGN_OR_RETURN(
      Answer answer, visit(target, kStep, remote::kInspect, {"image", "inspect", "--format", "found", "--", image}, "",
                           {}, deadline_ms));
  HostReport report;
  report.host_key = answer.output.host_key;
  report.engine = cleanUtf8(answer.script.value("engine").value_or(""), 32);
  report.engine_version = cleanUtf8(answer.script.value("version").value_or(""), 64);
  report.image_present = answer.script.value("image") == "yes";
  auto lines = answer.script.values("container");
  if (lines.size() > kContainersLimit) {
    return stepError(target, kStep, internalError("far more base containers than one host can hold; remove old ones"));
  }
  for (const auto& line : lines) {
    auto found = parseContainer(line);
    if (!found.ok()) {
      return stepError(target, kStep,
                       internalError(fmt::format("the engine's description of a container cannot be read ({}); is "
                                                 "docker there really docker or podman?",
                                                 found.status().message())));
    }
    report.containers.push_back(std::move(found).value());
  }
  return report;
}

Status SshHost::startPull(const HostTarget& target, const std::string& op_id, const std::string& image,
                          std::int64_t deadline_ms) {
  std::string step = fmt::format("start the pull of {}", cleanUtf8(image, 200));
  if (Status status = checkImage(image); !status.ok()) return stepError(target, step, status);
  if (!isId(op_id)) return stepError(target, step, invalidArgument("the op id is not an id"));
  return visit(target, step, remote::kStartJob, {"pull", "--", image}, op_id + "\n", {}, deadline_ms).status();
}

Result<JobReport> SshHost::pollPull(const HostTarget& target, const std::string& op_id, std::int64_t deadline_ms) {
  constexpr char kStep[] = "ask for the pull";
  if (!isId(op_id)) return stepError(target, kStep, invalidArgument("the op id is not an id"));
  VCC_ASSIGN_OR_RETURN(Answer answer, visit(target, kStep, remote::kPollJob, {}, op_id + "\n", {}, deadline_ms));
  std::string state = answer.script.value("job").value_or("unknown");
  JobReport report;
  report.detail = engineWords(answer.script.output(), {});
  if (state == "running") report.state = JobState::kRunning;
  if (state == "ended 0") {
    report.state = JobState::kDone;
  } else if (state.starts_with("ended")) {
    report.state = JobState::kFailed;
  }
  return report;
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

// SPDX-License-Identifier: Apache-2.0
#include "cli/plugin_trial.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "cli/table.h"
#include "plugin_host/refusals.h"

namespace vcc::cli {
namespace {

constexpr std::int64_t kLongestMs = 60'000;
constexpr std::size_t kMaxReportBytes = 4U << 20U;
constexpr std::size_t kMaxFieldBytes = 16'384;

// A line of the child: kind, tab, first, tab, second.
constexpr std::string_view kPassed = "passed";
constexpr std::string_view kRefused = "refused";
constexpr std::string_view kFact = "fact";
constexpr std::string_view kEnd = "end";

void sendLine(int fd, std::string_view kind, std::string_view first, std::string_view second) {
  std::string line(kind);
  line += '\t' + printable(std::string(first.substr(0, kMaxFieldBytes)));
  line += '\t' + printable(std::string(second.substr(0, kMaxFieldBytes))) + '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t sent = ::write(fd, rest.data(), rest.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) ::_exit(1);  // nobody listens any more
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// The child: no terminal, no core file, no life beyond the parent's.
[[noreturn]] void runChild(int fd, const std::string& path, const std::string& settings_file,
                           const std::string& settings, const std::string& work_dir) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, standard);
  const CheckReport report{[&](std::string_view step, std::string_view detail) { sendLine(fd, kPassed, step, detail); },
                           [&](std::string_view id, std::string_view reason) { sendLine(fd, kRefused, id, reason); },
                           [&](std::string_view key, std::string_view value) { sendLine(fd, kFact, key, value); }};
  const Status status = checkPlugin(path, settings_file, settings, work_dir, report);
  sendLine(fd, kEnd, status.ok() ? "ok" : "refused", "");
  ::_exit(0);
}

/// What the child said so far, line by line.
class Reader {
 public:
  explicit Reader(const CheckReport& report) : report_(report) {}

  /// Reads until the child has ended or hung; false: it hung.
  bool readAll(int fd) {
    const SystemClock clock;
    const std::int64_t end = clock.monoMs() + kLongestMs;
    std::array<char, 4096> buffer{};
    for (std::size_t total = 0; total < kMaxReportBytes;) {
      const std::int64_t left = end - clock.monoMs();
      if (left <= 0) return false;
      pollfd ready{fd, POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(left)) <= 0) continue;
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return true;
      total += static_cast<std::size_t>(got);
      take({buffer.data(), static_cast<std::size_t>(got)});
      if (done_) return true;
    }
    return false;
  }

  bool isDone() const { return done_; }
  bool isRefused() const { return refused_; }
  const std::string& lastStep() const { return last_step_; }

 private:
  void take(std::string_view text) {
    for (const char c : text) {
      if (c != '\n') {
        if (line_.size() < 3 * kMaxFieldBytes) line_ += c;
        continue;
      }
      line();
      line_.clear();
    }
  }

  void line() {
    const std::size_t one = line_.find('\t');
    const std::size_t two = one == line_.npos ? one : line_.find('\t', one + 1);
    if (two == line_.npos) return;
    const std::string kind = line_.substr(0, one);
    const std::string first = printable(line_.substr(one + 1, two - one - 1));
    const std::string second = printable(line_.substr(two + 1));
    if (kind == kPassed) {
      last_step_ = first;
      report_.passed(first, second);
    } else if (kind == kRefused) {
      refused_ = true;
      report_.refused(first, second);
    } else if (kind == kFact) {
      report_.fact(first, second);
    } else if (kind == kEnd) {
      done_ = true;
    }
  }

  const CheckReport& report_;
  std::string line_;
  std::string last_step_;
  bool done_ = false;
  bool refused_ = false;
};

std::string endOf(int wait_status) {
  if (WIFSIGNALED(wait_status)) return std::string("ended by a signal: ") + ::strsignal(WTERMSIG(wait_status));
  return "ended itself with status " + std::to_string(WEXITSTATUS(wait_status));
}

/// A folder that goes with the object.
class WorkFolder {
 public:
  WorkFolder() : path_((std::filesystem::temp_directory_path() / "vcc-check.XXXXXX").string()) {
    made_ = ::mkdtemp(path_.data()) != nullptr;
  }
  ~WorkFolder() {
    std::error_code ignored;
    if (made_) std::filesystem::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  bool made() const { return made_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool made_ = false;
};

}  // namespace

Status tryPlugin(const std::string& path, const std::string& settings_file, const std::string& settings,
                 const CheckReport& report) {
  const WorkFolder folder;
  std::array<int, 2> pipe{};
  if (!folder.made() || ::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return unavailable("plugin check: cannot make a temporary folder or a pipe: " +
                       std::generic_category().message(errno));
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[0]);
    runChild(pipe[1], path, settings_file, settings, folder.path());
  }
  ::close(pipe[1]);
  if (child < 0) {
    ::close(pipe[0]);
    return unavailable("plugin check: cannot start a process: " + std::generic_category().message(errno));
  }
  ::setpgid(child, child);  // as the child does: whoever comes first
  Reader reader(report);
  const bool ended = reader.readAll(pipe[0]);
  ::close(pipe[0]);
  ::kill(-child, SIGKILL);  // whatever the plugin started
  int wait_status = 0;
  while (::waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
  }
  if (reader.isDone()) {
    return reader.isRefused() ? failedPrecondition("plugin " + path + ": refused") : okStatus();
  }
  NullLogger log;
  Refusals refusals(log, path);
  const std::string step = reader.lastStep().empty() ? "the first step" : "step " + reader.lastStep();
  const std::string what = ended ? endOf(wait_status) : "did not come to an end within 60 s";
  Status why = refusals.error("PLUGIN_CRASHED", failedPrecondition("plugin " + path + ": the process that tried it " +
                                                                   what + ", after " + step));
  report.refused(refusals.id(), refusals.why().message());
  return why;
}

}  // namespace vcc::cli

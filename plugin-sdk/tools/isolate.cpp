// SPDX-License-Identifier: Apache-2.0
#include "isolate.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <system_error>

#include "vcp/plugin/cpp/json.h"

namespace vcp::check {
namespace {

using plugin::Json;

constexpr std::size_t kMaxOutput = 64U << 10U;

std::string contentOf(int fd) {
  std::string text(kMaxOutput, '\0');
  const off_t size = ::lseek(fd, 0, SEEK_END);
  const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(kMaxOutput));
  const ssize_t got = ::pread(fd, text.data(), text.size(), begin);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

Outcome guarded(const std::function<Outcome()>& body) {
  try {
    return body();
  } catch (const Failed& failed) {
    return {Verdict::kFail, failed.expected, failed.seen};
  } catch (const Skipped& skipped) {
    return {Verdict::kSkip, "", skipped.reason};
  } catch (const std::exception& e) {
    return {Verdict::kFail, "no exception crosses the boundary", std::string("an exception: ") + e.what()};
  } catch (...) {
    return {Verdict::kFail, "no exception crosses the boundary", "something that is not a std::exception was thrown"};
  }
}

[[noreturn]] void runChild(const std::function<Outcome()>& body, int result, int output) {
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  const Outcome outcome = guarded(body);
  const Json json{
      {"verdict", static_cast<int>(outcome.verdict)}, {"expected", outcome.expected}, {"seen", outcome.seen}};
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t wrote = ::write(result, text.data() + sent, text.size() - sent);
    if (wrote < 0 && errno != EINTR) break;
    if (wrote > 0) sent += static_cast<std::size_t>(wrote);
  }
  ::_exit(0);
}

/// Reads to the end of the pipe. False when `limit_ms` passed first.
bool readAll(int fd, std::int64_t limit_ms, std::string* text) {
  const std::int64_t end = steadyMs() + limit_ms;
  char buffer[4096];
  for (;;) {
    pollfd ready{fd, POLLIN, 0};
    const std::int64_t left = end - steadyMs();
    const int got = left <= 0 ? 0 : ::poll(&ready, 1, static_cast<int>(left));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    const ssize_t size = ::read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    text->append(buffer, static_cast<std::size_t>(size));
  }
}

std::string lastWords(int output) {
  const std::string text = contentOf(output);
  if (text.empty()) return "";
  return "; it had written:\n" + text.substr(text.size() - std::min<std::size_t>(text.size(), 2000));
}

}  // namespace

std::int64_t steadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string outputSoFar() {
  std::fflush(nullptr);
  return contentOf(STDOUT_FILENO);
}

Outcome runIsolated(const std::function<Outcome()>& body, std::int64_t limit_ms) {
  int pipe_fds[2];
  const int output = ::memfd_create("vcp-plugin-check", MFD_CLOEXEC);
  if (output < 0 || ::pipe2(pipe_fds, O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot prepare a child process");
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot fork");
  if (child == 0) {
    ::close(pipe_fds[0]);
    runChild(body, pipe_fds[1], output);
  }
  ::close(pipe_fds[1]);
  std::string text;
  const bool in_time = readAll(pipe_fds[0], limit_ms, &text);
  ::close(pipe_fds[0]);
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }

  Outcome outcome{Verdict::kFail, "the driver returns from every call", ""};
  const Json json = Json::parse(text, nullptr, false);
  if (!in_time) {
    outcome.seen = "it had not ended after " + std::to_string(limit_ms) + " ms and was killed" + lastWords(output);
  } else if (json.is_object()) {
    outcome.verdict = static_cast<Verdict>(json.at("verdict").get<int>());
    outcome.expected = json.at("expected").get<std::string>();
    outcome.seen = json.at("seen").get<std::string>();
  } else if (WIFSIGNALED(status)) {
    outcome.seen = std::string("the process died: ") + ::strsignal(WTERMSIG(status)) + lastWords(output);
  } else {
    outcome.seen = "the process ended with code " + std::to_string(WEXITSTATUS(status)) + lastWords(output);
  }
  ::close(output);
  return outcome;
}

}  // namespace vcp::check

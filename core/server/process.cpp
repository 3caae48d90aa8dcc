// SPDX-License-Identifier: Apache-2.0
#include "server/process.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vcc {
namespace {

sigset_t handledSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

constexpr int kLargeBlock = 4 << 20;  ///< has pages of its own
constexpr int kKeptBytes = 8 << 20;   ///< at the end of each heap, at most

}  // namespace

void prepareProcess() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  // Each client has a descriptor; the limit that programs of the last century need is lifted as far as we may.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  ::umask(077);
  ::signal(SIGPIPE, SIG_IGN);
  ::mallopt(M_ARENA_MAX, 2);
  // Answers of some 100 kB come and go: to take their pages from the system each time costs more than to make them.
  ::mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  const sigset_t set = handledSignals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signal waitForSignal() {
  const sigset_t set = handledSignals();
  for (;;) {
    int number = 0;
    if (::sigwait(&set, &number) == 0) return number == SIGHUP ? Signal::kReload : Signal::kStop;
  }
}

void limitStop(unsigned seconds) { ::alarm(seconds); }

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
// vcc_sim: runs scenarios of tests/sim (README.md there).
#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "sim/world.h"

namespace vcc::sim {
namespace {

constexpr char kUsage[] =
    "usage: vcc_sim [--seeds FROM[..TO]] [--jobs N] [--twice N] [--verbose] FILE.json...\n"
    "  FILE       a scenario, or a file of seeds that failed once\n"
    "  --seeds    of the runs of each scenario; default 1..100\n"
    "  --jobs     processes; default 1\n"
    "  --twice N  every Nth run is done twice and must be the same, byte for byte; default 20, 0 = none\n"
    "  --verbose  what happens in each run\n";

struct Options {
  std::uint64_t from = 1;
  std::uint64_t to = 100;
  std::uint64_t jobs = 1;
  std::uint64_t twice = 20;
  bool verbose = false;
  std::vector<std::string> files;
};

struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t crashes = 0;
  std::uint64_t steps = 0;
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  std::int64_t simulated_ms = 0;
};

bool number(const char*& text, std::uint64_t* out) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), *out);
  text = end;
  return error == std::errc();
}

bool parse(int argc, char** argv, Options* out) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&](std::uint64_t* into) {
      if (i + 1 >= argc) return false;
      const char* text = argv[++i];
      return number(text, into) && *text == '\0';
    };
    if (word == "--verbose") {
      out->verbose = true;
    } else if (word == "--jobs") {
      if (!value(&out->jobs) || out->jobs == 0) return false;
    } else if (word == "--twice") {
      if (!value(&out->twice)) return false;
    } else if (word == "--seeds") {
      if (i + 1 >= argc) return false;
      const char* text = argv[++i];
      if (!number(text, &out->from)) return false;
      out->to = out->from;
      if (std::strncmp(text, "..", 2) == 0 && !number(text += 2, &out->to)) return false;
      if (*text != '\0') return false;
    } else if (word.starts_with("--")) {
      return false;
    } else {
      out->files.push_back(word);
    }
  }
  return !out->files.empty();
}

RunResult runOnce(const Scenario& scenario, std::uint64_t seed, Workshop& workshop, bool verbose) {
  World world(scenario, seed, workshop, verbose);
  return world.run();
}

void report(const std::string& path, std::uint64_t seed, const RunResult& result) {
  for (const std::string& what : result.violations) {
    std::fputs(fmt::format("FAILED {} seed {}: {}\n", path, seed, what).c_str(), stdout);
  }
}

/// The share of one process.
Totals work(const Options& options, std::uint64_t share) {
  Totals totals;
  Workshop workshop{.folder = VCC_SIM_FOLDER};
  for (const std::string& path : options.files) {
    RunFile file = readRuns(path);
    const Scenario& scenario = file.scenario;
    const bool any = file.seeds.empty();
    for (std::uint64_t seed = options.from; any && seed <= options.to; ++seed) file.seeds.push_back(seed);
    for (std::size_t i = share; i < file.seeds.size(); i += options.jobs) {
      const std::uint64_t seed = file.seeds[i];
      RunResult result = runOnce(scenario, seed, workshop, options.verbose);
      if (options.twice > 0 && i / options.jobs % options.twice == 0 && !options.verbose) {
        const RunResult again = runOnce(scenario, seed, workshop, false);
        if (again.trace != result.trace) result.violations.push_back("a second run of the seed went another way");
      }
      ++totals.runs;
      totals.crashes += result.crashes;
      totals.steps += result.steps;
      totals.requests += result.requests;
      totals.simulated_ms += result.simulated_ms;
      if (options.verbose) {
        std::fputs(fmt::format("trace {:016x}\n", result.trace).c_str(), stdout);
      }
      if (result.violations.empty()) continue;
      ++totals.failed;
      report(path, seed, result);
      std::fflush(stdout);
    }
  }
  return totals;
}

/// One process per share, each on a processor of its own: the baton then never changes processors.
bool workApart(const Options& options, Totals* totals) {
  std::vector<int> answers;
  bool well = true;
  for (std::uint64_t share = 0; share < options.jobs; ++share) {
    int ends[2];
    if (::pipe(ends) != 0) return false;
    const pid_t child = ::fork();
    if (child < 0) return false;
    if (child == 0) {
      ::close(ends[0]);
      cpu_set_t allowed;
      if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        std::vector<std::size_t> processors;
        for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
          if (CPU_ISSET(cpu, &allowed)) processors.push_back(cpu);
        }
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(processors[share % processors.size()], &own);
        ::sched_setaffinity(0, sizeof own, &own);
      }
      int code = 3;
      try {
        const Totals mine = work(options, share);
        if (::write(ends[1], &mine, sizeof mine) == static_cast<ssize_t>(sizeof mine)) code = 0;
      } catch (const std::exception& e) {
        std::fputs(fmt::format("FAILED {}\n", e.what()).c_str(), stdout);
      }
      std::fflush(stdout);
      ::_exit(code);
    }
    ::close(ends[1]);
    answers.push_back(ends[0]);
  }
  for (const int answer : answers) {
    Totals part;
    if (::read(answer, &part, sizeof part) == static_cast<ssize_t>(sizeof part)) {
      totals->runs += part.runs;
      totals->crashes += part.crashes;
      totals->steps += part.steps;
      totals->requests += part.requests;
      totals->failed += part.failed;
      totals->simulated_ms += part.simulated_ms;
    } else {
      well = false;
    }
    ::close(answer);
  }
  int status = 0;
  while (::wait(&status) > 0) well = well && status == 0;
  return well;
}

int run(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, &options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const auto begun = std::chrono::steady_clock::now();
  Totals totals;
  const bool well = workApart(options, &totals);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::fputs(
      fmt::format("{} runs, {} crashes, {} requests to clouds, {} steps, {:.0f} simulated hours in {:.1f} s: {:.0f} "
                  "runs/s, {:.0f} crashes/s; {} failed\n",
                  totals.runs, totals.crashes, totals.requests, totals.steps,
                  static_cast<double>(totals.simulated_ms) / 3.6e6, took.count(),
                  static_cast<double>(totals.runs) / took.count(), static_cast<double>(totals.crashes) / took.count(),
                  totals.failed)
          .c_str(),
      stdout);
  return well && totals.failed == 0 && totals.runs > 0 ? 0 : 1;
}

}  // namespace
}  // namespace vcc::sim

int main(int argc, char** argv) { return vcc::sim::run(argc, argv); }

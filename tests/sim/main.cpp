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
#include <optional>
#include <string>
#include <vector>

#include "sim/world.h"

namespace vcc::sim {
namespace {

constexpr char kUsage[] =
    "usage: vcc_sim [--seeds FROM[..TO]] [--jobs N] [--twice N] [--verbose] FILE.json[=FROM[..TO]]...\n"
    "  FILE       a scenario, or a file of seeds that failed once; its own seeds may follow\n"
    "  --seeds    of the scenarios without seeds of their own; default 1..100\n"
    "  --jobs     processes; default 1\n"
    "  --twice N  every Nth run is done twice and must be the same, byte for byte; default 20, 0 = none\n"
    "  --verbose  what happens in each run\n";

struct Seeds {
  std::uint64_t from = 1;
  std::uint64_t to = 100;
};

struct File {
  std::string path;
  std::optional<Seeds> seeds;
};

struct Options {
  Seeds seeds;
  std::uint64_t jobs = 1;
  std::uint64_t twice = 20;
  bool verbose = false;
  std::vector<File> files;
};

struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t crashes = 0;
  std::uint64_t steps = 0;
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  std::int64_t simulated_ms = 0;

  void add(const Totals& other) {
    runs += other.runs;
    crashes += other.crashes;
    steps += other.steps;
    requests += other.requests;
    failed += other.failed;
    simulated_ms += other.simulated_ms;
  }
};

bool number(const char*& text, std::uint64_t* out) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), *out);
  text = end;
  return error == std::errc();
}

bool parseSeeds(const char* text, Seeds* out) {
  if (!number(text, &out->from)) return false;
  out->to = out->from;
  if (std::strncmp(text, "..", 2) == 0) {
    text += 2;
    if (!number(text, &out->to)) return false;
  }
  return *text == '\0';
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
      if (i + 1 >= argc || !parseSeeds(argv[++i], &out->seeds)) return false;
    } else if (word.starts_with("--")) {
      return false;
    } else {
      const std::size_t equals = word.find('=');
      File file{word.substr(0, equals), {}};
      if (equals != std::string::npos && !parseSeeds(word.c_str() + equals + 1, &file.seeds.emplace())) return false;
      out->files.push_back(std::move(file));
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

/// The share of one process, by file.
std::vector<Totals> work(const Options& options, std::uint64_t share) {
  std::vector<Totals> all;
  Workshop workshop{.folder = VCC_SIM_FOLDER};
  for (const File& named : options.files) {
    Totals& totals = all.emplace_back();
    RunFile file = readRuns(named.path);
    const Seeds seeds = named.seeds.value_or(options.seeds);
    const bool any = file.seeds.empty();
    for (std::uint64_t seed = seeds.from; any && seed <= seeds.to; ++seed) file.seeds.push_back(seed);
    for (std::size_t i = share; i < file.seeds.size(); i += options.jobs) {
      const std::uint64_t seed = file.seeds[i];
      RunResult result = runOnce(file.scenario, seed, workshop, options.verbose);
      if (options.twice > 0 && i / options.jobs % options.twice == 0 && !options.verbose) {
        const RunResult again = runOnce(file.scenario, seed, workshop, false);
        if (again.trace != result.trace) result.violations.push_back("a second run of the seed went another way");
      }
      totals.add(
          {1, result.crashes, result.steps, result.requests, result.violations.empty() ? 0U : 1U, result.simulated_ms});
      if (options.verbose) std::fputs(fmt::format("trace {:016x}\n", result.trace).c_str(), stdout);
      report(named.path, seed, result);
      std::fflush(stdout);
    }
  }
  return all;
}

/// One process per share, each on a processor of its own: the baton then never changes processors.
bool workApart(const Options& options, std::vector<Totals>* totals) {
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
        const std::vector<Totals> mine = work(options, share);
        const std::size_t bytes = mine.size() * sizeof(Totals);
        if (::write(ends[1], mine.data(), bytes) == static_cast<ssize_t>(bytes)) code = 0;
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
    for (Totals& total : *totals) {
      Totals part;
      well = well && ::read(answer, &part, sizeof part) == static_cast<ssize_t>(sizeof part);
      total.add(part);
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
  std::vector<Totals> by_file(options.files.size());
  const bool well = workApart(options, &by_file);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  Totals all;
  for (std::size_t i = 0; i < by_file.size(); ++i) {
    const Totals& part = by_file[i];
    if (by_file.size() > 1) {
      std::fputs(fmt::format("{}: {} runs, {} crashes, {} failed\n", options.files[i].path, part.runs, part.crashes,
                             part.failed)
                     .c_str(),
                 stdout);
    }
    all.add(part);
  }
  std::fputs(fmt::format("{} runs, {} crashes, {} requests to clouds, {} steps, {:.0f} simulated hours in {:.1f} s: "
                         "{:.0f} runs/s, {:.0f} crashes/s; {} failed\n",
                         all.runs, all.crashes, all.requests, all.steps, static_cast<double>(all.simulated_ms) / 3.6e6,
                         took.count(), static_cast<double>(all.runs) / took.count(),
                         static_cast<double>(all.crashes) / took.count(), all.failed)
                 .c_str(),
             stdout);
  return well && all.failed == 0 && all.runs > 0 ? 0 : 1;
}

}  // namespace
}  // namespace vcc::sim

int main(int argc, char** argv) { return vcc::sim::run(argc, argv); }

// SPDX-License-Identifier: Apache-2.0
// Watching: what it costs to watch many hosts, and how soon a dead one is noticed. Real engine, store, prober and TCP;
// the hosts are addresses of 127.0.0.0/8 with one listener behind them all, in a process of its own. Usage: watch_bench
// [HOSTS [INTERVAL_S [SECONDS]]]
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/encoding.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/mutex.h"
#include "bench/bench_kit.h"
#include "engine/commands.h"
#include "engine/engine.h"
#include "host/banner_prober.h"
#include "store/open_store.h"
#include "support/fake_driver.h"
#include "support/temp_dir.h"

namespace {

using namespace vcc;
using namespace vcc::bench;

constexpr int kUnitSize = 1000;
constexpr int kFaults = 3;  // hosts that die, and as many containers: fewer than what looks like a cut network

/// What the listener is told. Addresses as numbers, 0 = none.
struct Faults {
  std::array<std::atomic<std::uint32_t>, kFaults> hosts;
  std::array<std::atomic<std::uint32_t>, kFaults> containers;
};

int listenOn(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof where;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&where), size) != 0 || ::listen(fd, 4096) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  port = ntohs(where.sin_port);
  return fd;
}

bool isAmong(const std::array<std::atomic<std::uint32_t>, kFaults>& dead, std::uint32_t address) {
  return std::ranges::any_of(dead, [&](const auto& one) { return one == address; });
}

[[noreturn]] void serve(int ssh, int ready, const Faults& faults) {
  std::array<pollfd, 2> doors{pollfd{ssh, POLLIN, 0}, pollfd{ready, POLLIN, 0}};
  for (;;) {
    if (::poll(doors.data(), doors.size(), -1) < 0) std::exit(0);
    for (const pollfd& door : doors) {
      if ((door.revents & POLLIN) == 0) continue;
      const int client = ::accept(door.fd, nullptr, nullptr);
      sockaddr_in self{};
      socklen_t size = sizeof self;
      if (client < 0 || ::getsockname(client, reinterpret_cast<sockaddr*>(&self), &size) != 0) continue;
      const std::uint32_t address = ntohl(self.sin_addr.s_addr);
      const bool dead = isAmong(faults.hosts, address) || (door.fd == ready && isAmong(faults.containers, address));
      constexpr char kBanner[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
      if (!dead) static_cast<void>(::send(client, kBanner, sizeof kBanner - 1, MSG_NOSIGNAL));
      ::close(client);
    }
  }
}

std::string addressOf(int index) { return fmt::format("127.1.{}.{}", index / 250, 1 + index % 250); }
std::uint32_t numberOf(const std::string& address) {
  in_addr parsed{};
  ::inet_pton(AF_INET, address.c_str(), &parsed);
  return ntohl(parsed.s_addr);
}

/// Hosts whose inside is what the faults say. Thread safe.
class BenchHost final : public Host {
 public:
  explicit BenchHost(const Faults& faults) : faults_(faults) {}
  Result<HostReport> inspect(const HostTarget& target, const std::string&, const HostNeeds&, HostLook,
                             std::int64_t) override {
    const std::uint32_t address = numberOf(target.address);
    ++looks;
    if (isAmong(faults_.hosts, address)) return Status(Code::kUnavailable, "no answer", Outcome::kNotApplied);
    HostReport report;
    report.host_key = "ssh-ed25519 BENCH";
    report.image_present = true;
    const MutexLock lock(mutex_);
    if (const auto found = containers_.find(target.address); found != containers_.end()) {
      report.containers = {found->second};
      report.containers.front().running = !isAmong(faults_.containers, address);
    }
    return report;
  }
  Result<JobReport> startJob(const HostTarget&, const std::string&, const HostJob&, std::int64_t) override {
    return JobReport{.state = JobState::kDone};
  }
  Result<JobReport> pollJob(const HostTarget&, const std::string&, std::int64_t) override {
    return JobReport{.state = JobState::kDone};
  }
  Result<std::string> runContainer(const HostTarget& target, const ContainerSpec& spec, std::int64_t) override {
    FoundContainer made;
    made.id = "c-" + spec.name;
    made.name = spec.name;
    made.running = true;
    for (const auto& [key, value] : spec.labels) {
      if (key == "vcp.vcc") made.vcc = value;
      if (key == "vcp.node_id") made.node_id = value;
      if (key == "vcp.address") made.address = value;
    }
    const MutexLock lock(mutex_);
    containers_[target.address] = made;
    return made.id;
  }
  Status startContainer(const HostTarget&, const std::string&, std::int64_t) override { return okStatus(); }
  Status stopContainer(const HostTarget&, const std::string&, std::int64_t) override { return okStatus(); }
  Status removeContainer(const HostTarget&, const std::string&, std::int64_t) override { return okStatus(); }
  Status probeBanner(const std::string&, int, std::int64_t) override { return okStatus(); }

  std::atomic<std::int64_t> looks{0};

 private:
  const Faults& faults_;
  Mutex mutex_;
  std::map<std::string, FoundContainer> containers_ VCC_GUARDED_BY(mutex_);
};

/// Existing servers: the driver repeats the address.
class Servers final : public test::FakeDriver {
 public:
  Servers() {
    facts.existence = Existence::kAsserted;
    facts.simulated_hosts = false;
    script = [this](const std::string&, const CallContext&, const MachineRef& ref) {
      cloud[ref.name] = {.id = ref.requested_address, .address = ref.requested_address};
      return Fate{};
    };
  }
};

std::int64_t rssKib() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

std::size_t threadsNow() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void pause(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// All of a run.
class Bench {
 public:
  Bench(int hosts, std::int64_t interval_s, int ssh_port, int ready_port, Faults& faults)
      : hosts_(hosts),
        interval_ms_(interval_s * 1000),
        faults_(faults),
        host_(faults),
        store_(need(openStore(folder_.path(), files_, clock_, writer_, log_))),
        sealer_(SecretString(std::string(32, 'k')), random_),
        registry_(std::make_shared<Servers>()),
        catalog_(std::make_shared<const Catalog>(need(Catalog::parse(
            fmt::format("cci_version: '1.0'\nfake:\n  default:\n    ssh_port: {}\n    ready_port: {}\n    "
                        "allowed_hosts: ['127.1.0.0/16']\n",
                        ssh_port, ready_port))))) {}

  void boot(bool watch);
  void measure(std::int64_t seconds);
  void breakSome();
  void stop() { engine_->stop(); }

 private:
  std::size_t count(State state) const {
    std::size_t found = 0;
    store_->read([&](const ReadTx& tx) {
      tx.nodes().scan([&](const Node& node) {
        found += node.state == state ? 1U : 0U;
        return true;
      });
    });
    return found;
  }

  const int hosts_;
  const std::int64_t interval_ms_;
  Faults& faults_;
  BenchHost host_;
  const SystemClock clock_;
  SystemRandom random_;
  Quiet log_;
  PosixFileSystem files_;
  const test::TempDir folder_;
  ThreadPool writer_{"store", 1};
  std::unique_ptr<Store> store_;
  Sealer sealer_;
  test::FakeRegistry registry_;
  std::shared_ptr<const Catalog> catalog_;
  std::unique_ptr<Engine> engine_;
};

void Bench::boot(bool watch) {
  EngineOptions options;
  options.vcc_id = std::string(32, 'a');
  options.watch_interval_ms = interval_ms_;
  Engine::Seams seams{.store = *store_,
                      .drivers = registry_,
                      .host = host_,
                      .simulated_host = host_,
                      .clock = clock_,
                      .random = random_,
                      .log = log_,
                      .sealer = sealer_,
                      .catalog = [this] { return catalog_; },
                      .source_address = [](const std::string&) { return std::string("127.0.0.1"); },
                      .make_executor = makeThreadPool};
  if (watch) {
    seams.make_prober = [this](ProbeReport report) {
      return need(makeBannerProber({}, clock_, random_, std::move(report)));
    };
  }
  engine_ = std::make_unique<Engine>(std::move(seams), options);
  need(engine_->start());
  if (count(State::kRunning) > 0) return;  // a second engine on the same store
  Commands commands({.store = *store_,
                     .drivers = registry_,
                     .catalog = [this] { return catalog_; },
                     .random = random_,
                     .log = log_,
                     .sealer = sealer_,
                     .limits = {.nodes_per_unit = hosts_, .nodes_per_user = hosts_, .nodes_total = hosts_},
                     .evaluation = true,
                     .own_addresses = {},
                     .wake = [this](const std::vector<std::string>& ids) { engine_->wake(ids); }});
  const Caller caller{.principal = {.user = "bench", .token_head = "bench"}};
  const std::string vcid =
      need(commands.createVc(caller, base64Encode("- vc:\n    type: compute\n    name: g\n    description: \"g\"\n")));
  for (int first = 0; first < hosts_; first += kUnitSize) {
    const int last = std::min(first + kUnitSize, hosts_);
    std::string addresses;
    for (int i = first; i < last; ++i) addresses += fmt::format("{}'{}'", i > first ? ", " : "", addressOf(i));
    const std::string name = fmt::format("u{}", first / kUnitSize);
    need(commands.addUnit(
        caller, vcid, name,
        base64Encode(fmt::format(
            "\n- unit:\n    cci_version: \"1.1\"\n    name: {}\n    private_network: default\n    num_nodes: {}\n"
            "    image: localhost/vcp/base:1\n    params:\n        v: []\n        e: []\n    cloud_provider: fake\n"
            "    cloud_params:\n        cci_version: \"1.0\"\n        user_name: bench\n        ip_address_list: "
            "[{}]\n",
            name, last - first, addresses))));
  }
  const std::int64_t begun = clock_.monoMs();
  while (count(State::kRunning) < static_cast<std::size_t>(hosts_)) {
    if (clock_.monoMs() - begun > 300000) {
      fmt::print(stderr, "only {} of {} nodes run after 300 s\n", count(State::kRunning), hosts_);
      std::exit(1);
    }
    pause(100);
  }
}

void Bench::measure(std::int64_t seconds) {
  // Threads that only the boot needed have ended by then, and every port has been asked once.
  pause(std::max<std::int64_t>(interval_ms_, 32000) + 3000);
  const std::int64_t looks = host_.looks;
  const double cpu = cpuSeconds();
  const std::int64_t begun = clock_.monoMs();
  pause(seconds * 1000);
  const double took = static_cast<double>(clock_.monoMs() - begun) / 1000;
  fmt::print("  {:.2f} % of a core over {:.0f} s, {} threads, {:.1f} MiB resident, {} looks over ssh, {} watched\n",
             (cpuSeconds() - cpu) / took * 100, took, threadsNow(), static_cast<double>(rssKib()) / 1024,
             host_.looks - looks, engine_->status().watched);
}

void Bench::breakSome() {
  const std::int64_t begun = clock_.monoMs();
  for (int i = 0; i < kFaults; ++i) {
    const auto at = static_cast<std::size_t>(i);
    faults_.hosts.at(at) = numberOf(addressOf(i * hosts_ / 7));
    faults_.containers.at(at) = numberOf(addressOf((i + kFaults) * hosts_ / 7));
  }
  std::map<State, std::vector<double>> noticed;
  while (noticed[State::kHostError].size() < kFaults || noticed[State::kContainerError].size() < kFaults) {
    pause(50);
    const double age = static_cast<double>(clock_.monoMs() - begun) / 1000;
    for (const State state : {State::kHostError, State::kContainerError}) {
      while (noticed[state].size() < count(state)) noticed[state].push_back(age);
    }
    if (age > 600) {
      fmt::print(stderr, "not all faults were noticed within 600 s\n");
      std::exit(1);
    }
  }
  const auto line = [&](State state) {
    std::string text;
    for (const double age : noticed[state]) text += fmt::format("{}{:.1f}", text.empty() ? "" : ", ", age);
    return text;
  };
  fmt::print("  dead hosts are HOST_ERROR after {} s, stopped containers CONTAINER_ERROR after {} s\n",
             line(State::kHostError), line(State::kContainerError));
}

}  // namespace

int main(int argc, char** argv) {
  const int hosts = argc > 1 ? std::atoi(argv[1]) : 2000;
  const std::int64_t interval_s = argc > 2 ? std::atoi(argv[2]) : 30;
  const std::int64_t seconds = argc > 3 ? std::atoi(argv[3]) : 60;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  void* shared = ::mmap(nullptr, sizeof(Faults), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* faults = new (shared) Faults{};
  int ssh_port = 0;
  int ready_port = 0;
  const int ssh = listenOn(ssh_port);
  const int ready = listenOn(ready_port);
  const pid_t child = ::fork();
  if (child == 0) serve(ssh, ready, *faults);
  ::close(ssh);
  ::close(ready);
  {
    Bench bench(hosts, interval_s, ssh_port, ready_port, *faults);
    fmt::print("{} hosts, none of them watched:\n", hosts);
    bench.boot(false);
    bench.measure(seconds);
    bench.stop();
    fmt::print("the same, both ports of each asked every {} s (aim: 3 % of a core at most):\n", interval_s);
    bench.boot(true);
    bench.measure(seconds);
    bench.breakSome();
    bench.stop();
  }
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  return 0;
}

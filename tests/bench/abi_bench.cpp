// SPDX-License-Identifier: Apache-2.0
// What the driver boundary costs: one call of a trivial C plugin through the ABI adapter against a direct virtual call,
// and calls per second with and without the interposers that the server puts around each driver.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "plugin_host/poco_http_transport.h"
#include "plugin_host/registry.h"
#include "support/temp_dir.h"

namespace {

using namespace vcc;

constexpr std::int64_t kRunMs = 1000;
constexpr int kRounds = 64;
const std::string kParams = "{}";

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", result.status().toString());
    std::exit(1);
  }
  return std::move(result).value();
}

/// Nanoseconds per call of `call`, which makes `kRounds` of them.
template <class Call>
double nanoseconds(const Clock& clock, Call&& call) {
  std::int64_t count = 0;
  const std::int64_t begin = clock.monoMs();
  while (clock.monoMs() - begin < kRunMs) {
    for (int i = 0; i < kRounds; ++i) call();
    count += kRounds;
  }
  return static_cast<double>(clock.monoMs() - begin) * 1e6 / static_cast<double>(count);
}

/// The compiler must not see what is behind the pointer.
template <class T>
T* opaque(T* pointer) {
  asm volatile("" : "+r"(pointer));
  return pointer;
}

struct Plain {
  virtual ~Plain() = default;
  virtual Status validate(const std::string& params, const std::string& entry) = 0;
};
struct Empty final : Plain {
  Status validate(const std::string&, const std::string&) override { return okStatus(); }
};

}  // namespace

int main() {
  const test::TempDir dir;
  const SystemClock clock;
  SystemRandom random;
  PosixFileSystem files;
  NullLogger log;
  const std::unique_ptr<HttpTransport> http = must(makePocoHttpTransport(clock, {}));
  std::ofstream(dir.file("good.yml")) << "plugin: good.so\n";
  PluginConfig config;
  config.providers_dir = dir.path();
  config.plugin_dirs = {VCC_BUILD_DIR "/bad_plugins"};
  config.data_dir = dir.path();
  config.bare = true;
  const auto bare_registry = must(loadDrivers(config, files, clock, random, *http, log));
  config.bare = false;
  const auto full_registry = must(loadDrivers(config, files, clock, random, *http, log));
  Driver* bare = bare_registry->byInstance("good")->driver.get();
  Driver* full = full_registry->byInstance("good")->driver.get();
  if (bare == nullptr || full == nullptr) {
    fmt::print(stderr, "bad_plugins/good.so is not there: build all first\n");
    return 1;
  }

  Empty empty;
  Plain* direct = opaque<Plain>(&empty);
  const double direct_ns = nanoseconds(clock, [&] { static_cast<void>(direct->validate(kParams, kParams)); });
  const double abi_ns = nanoseconds(clock, [&] { static_cast<void>(bare->validate(kParams, kParams)); });
  fmt::print("validate: direct virtual call {:.1f} ns, through the ABI {:.1f} ns, ratio {:.1f}\n", direct_ns, abi_ns,
             abi_ns / direct_ns);

  CallContext call;
  call.op_id = "0123456789abcdef0123456789abcdef";
  call.vcc_id = call.op_id;
  call.deadline_ms = 30000;
  call.catalog_entry = R"({"private_network_ipmask":"10.0.0.0/16"})";
  call.credentials = SecretString(R"({"access_key":"0123456789","secret_key":"01234567890123456789"})");
  std::vector<MachineRef> items(10);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].index = static_cast<std::int64_t>(i);
    items[i].name = fmt::format("vcp-01234567-{:020x}", i);
  }
  const auto probe = [&](Driver& driver) { return nanoseconds(clock, [&] { static_cast<void>(driver.probe(call)); }); };
  const auto create = [&](Driver& driver) {
    return nanoseconds(clock, [&] { static_cast<void>(driver.create(call, kParams, items)); });
  };
  for (const auto& [name, measure] :
       {std::pair<const char*, std::function<double(Driver&)>>{"probe", probe}, {"create of 10", create}}) {
    const double bare_ns = measure(*bare);
    const double full_ns = measure(*full);
    fmt::print("{}: bare {:.0f} calls/s ({:.0f} ns), through all interposers {:.0f} calls/s ({:.0f} ns)\n", name,
               1e9 / bare_ns, bare_ns, 1e9 / full_ns, full_ns);
  }
  return 0;
}

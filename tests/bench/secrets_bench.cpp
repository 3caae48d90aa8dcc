// SPDX-License-Identifier: Apache-2.0
// What sealing costs: a CCI of 100 kB sealed and opened against SHA-256 over the same bytes, and one `vault://`
// reference resolved against a plain look-up of its record.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "secrets/grants.h"
#include "secrets/sealed_records.h"
#include "store/open_store.h"
#include "store/schema.h"

namespace {

using namespace vcc;

constexpr std::int64_t kRunMs = 1000;

void must(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}\n", status.toString());
  std::exit(1);
}

/// Microseconds per call.
template <class Call>
double microseconds(const Clock& clock, Call&& call) {
  std::int64_t count = 0;
  const std::int64_t begin = clock.monoMs();
  while (clock.monoMs() - begin < kRunMs) {
    for (int i = 0; i < 16; ++i) call();
    count += 16;
  }
  return static_cast<double>(clock.monoMs() - begin) * 1e3 / static_cast<double>(count);
}

}  // namespace

int main() {
  const SystemClock clock;
  InlineExecutor executor;
  NullLogger log;
  SystemRandom random;
  const Sealer sealer(SecretString(std::string(32, 'k')), random);
  const std::unique_ptr<Store> store = makeMemoryStore(clock, executor, log);
  SecretStore secrets(*store, sealer);
  const Principal who{.user = "nobody", .token_hash = std::string(64, 'a')};

  const std::string text(100'000, 'c');
  const std::string sealed = sealer.seal(text, "bench");
  std::size_t sum = 0;
  const double digest = microseconds(clock, [&] { sum += sha256(text).size(); });
  const double seal = microseconds(clock, [&] { sum += sealer.seal(text, "bench").size(); });
  const double open = microseconds(clock, [&] { sum += sealer.open(sealed, "bench").value().size(); });
  UnitCci cci;
  cci.environment = {"BIG=" + text};
  const double whole = microseconds(clock, [&] { sum += sealCci(sealer, "unit", cci).size(); });
  fmt::print(
      "sealing 100 kB: {:.0f} us, opening {:.0f} us; {:.2f} and {:.2f} times SHA-256 of the same bytes ({:.0f} us)\n",
      seal, open, seal / digest, open / digest, digest);
  fmt::print("sealing a CCI of 100 kB, with writing it as JSON: {:.0f} us\n", whole);

  for (int i = 0; i < 1000; ++i) {
    must(secrets.write(who, {"cubbyhole", fmt::format("aws/{}", i)}, SecretString(std::string(R"({"value":"AKIA"})"))));
  }
  const std::string key = joinKey(joinKey("cubbyhole", who.token_hash), "aws/500");
  const double find = microseconds(
      clock, [&] { store->read([&](const ReadTx& tx) { sum += tx.secrets().find(key) != nullptr ? 1U : 0U; }); });
  const double resolve = microseconds(clock, [&] {
    sum +=
        resolveCredentials(*store, sealer, who, R"({"access_key":"vault://cubbyhole/aws/500"})").value().values.size();
  });
  fmt::print("resolving one reference: {:.1f} us; {:.0f} times the look-up of its record ({:.2f} us)\n", resolve,
             resolve / find, find);
  return sum == 0 ? 1 : 0;
}

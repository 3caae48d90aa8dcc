// SPDX-License-Identifier: Apache-2.0
#include "engine/credential_probe.h"

#include <doctest/doctest.h>

#include "base/executor.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

const std::string kSecret = "hunter2-hunter2";

struct ProbeRig {
  FakeClock clock;
  LoggedIds log;
  std::shared_ptr<FakeDriver> driver = std::make_shared<FakeDriver>();
  DriverSlot slot{.instance = "fake", .driver = driver};
  SecretString credentials{"{\"access_key\":\"" + kSecret + "\"}"};
  std::unique_ptr<CredentialProbe> probe;

  explicit ProbeRig(std::unique_ptr<Executor> executor = std::make_unique<InlineExecutor>()) {
    probe = std::make_unique<CredentialProbe>(CredentialProbe::Seams{clock, log, "vcc", std::move(executor)});
  }
  Status refusal() { return probe->refusal(slot, "{}", credentials); }
};

/// Jobs that nobody runs until the test says so: a cloud that does not answer.
struct SlowExecutor final : Executor {
  explicit SlowExecutor(std::shared_ptr<std::vector<Job>> jobs) : jobs_(std::move(jobs)) {}
  void submit(Job job) override { jobs_->push_back(std::move(job)); }
  std::shared_ptr<std::vector<Job>> jobs_;
};

}  // namespace

TEST_CASE("credentials that work are no reason to refuse; the driver gets them as they are") {
  ProbeRig rig;
  CHECK(rig.refusal().ok());
  CHECK(rig.driver->probed == std::vector<std::string>{rig.credentials.reveal()});
}

TEST_CASE("what the cloud refuses is refused, in its words without the secret") {
  ProbeRig rig;
  for (const Code code : {Code::kUnauthenticated, Code::kPermissionDenied}) {
    rig.driver->probe_answer = Status(code, "no entry for " + kSecret).withProviderCode("AuthFailure");
    const Status refusal = rig.refusal();
    CHECK(refusal.code() == Code::kPermissionDenied);
    CHECK(refusal.message().find("no entry for *** [AuthFailure]") != std::string::npos);
    CHECK(refusal.message().find(kSecret) == std::string::npos);
  }
  rig.driver->probe_answer = invalidArgument("no such zone");
  CHECK(rig.refusal().code() == Code::kInvalidArgument);
}

TEST_CASE("a cloud that cannot tell refuses nothing") {
  ProbeRig rig;
  for (const Code code : {Code::kUnavailable, Code::kDeadlineExceeded, Code::kInternal, Code::kUnimplemented,
                          Code::kNotFound, Code::kResourceExhausted}) {
    rig.driver->probe_answer = Status(code, "x");
    CHECK(rig.refusal().ok());
  }
  CHECK(rig.log.count("PROBE_INCONCLUSIVE") == 6);
}

TEST_CASE("nobody waits longer than agreed, and a driver is not asked on and on") {
  const auto jobs = std::make_shared<std::vector<Job>>();
  ProbeRig rig(std::make_unique<SlowExecutor>(jobs));
  for (int i = 0; i < 4; ++i) {
    CHECK(rig.probe->ask(rig.slot, "{}", rig.credentials, 0).code() == Code::kDeadlineExceeded);
  }
  CHECK(rig.probe->ask(rig.slot, "{}", rig.credentials, 0).code() == Code::kResourceExhausted);
  CHECK(jobs->size() == 4);
  jobs->front()();  // one of them has ended
  CHECK(rig.probe->ask(rig.slot, "{}", rig.credentials, 0).code() == Code::kDeadlineExceeded);
  CHECK(jobs->size() == 5);
  rig.probe.reset();
  jobs->back()();  // what ends after the probe is gone hurts nobody
}

TEST_CASE("an answer in time is waited for") {
  SystemClock clock;
  LoggedIds log;
  const auto driver = std::make_shared<FakeDriver>();
  driver->probe_answer = unauthenticated("no");
  CredentialProbe probe({clock, log, "vcc", makeThreadPool("probe", CredentialProbe::kAtOnce)});
  const DriverSlot slot{.instance = "fake", .driver = driver};
  CHECK(probe.ask(slot, "{}", SecretString("{}"), 60000).code() == Code::kUnauthenticated);
}

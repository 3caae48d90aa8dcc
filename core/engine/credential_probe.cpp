// SPDX-License-Identifier: Apache-2.0
#include "engine/credential_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "plugin_host/call_secrets.h"

namespace vcc {
namespace {

constexpr std::int64_t kEarlyMs = 4000;
constexpr std::size_t kOfOneDriver = 4;

}  // namespace

struct CredentialProbe::Call {
  std::shared_ptr<Driver> driver;
  CallContext context;
  bool answered = false;  // guarded by Shared::mutex
  Status answer;          // likewise
};

/// Outlives the probe with its last call.
struct CredentialProbe::Shared {
  std::atomic<bool> cancelled{false};
  Mutex mutex;
  CondVar changed;
  std::size_t under_way VCC_GUARDED_BY(mutex) = 0;
  std::map<std::string, std::size_t> by_instance VCC_GUARDED_BY(mutex);

  bool enter(const std::string& instance) {
    const MutexLock lock(mutex);
    if (under_way >= kAtOnce || by_instance[instance] >= kOfOneDriver) return false;
    ++under_way;
    ++by_instance[instance];
    return true;
  }
  void leave(const std::string& instance) {
    {
      const MutexLock lock(mutex);
      --under_way;
      if (--by_instance[instance] == 0) by_instance.erase(instance);
    }
    changed.notifyAll();
  }
};

CredentialProbe::CredentialProbe(Seams seams)
    : clock_(seams.clock),
      log_(seams.log),
      vcc_id_(std::move(seams.vcc_id)),
      shared_(std::make_shared<Shared>()),
      executor_(std::move(seams.executor)) {}

CredentialProbe::~CredentialProbe() {
  shared_->cancelled = true;
  executor_.reset();
}

Status CredentialProbe::ask(const DriverSlot& slot, const std::string& catalog_entry, const SecretString& credentials,
                            std::int64_t wait_ms) {
  if (!shared_->enter(slot.instance)) {
    return resourceExhausted(
        fmt::format("driver {} was not asked: enough such questions are under way", slot.instance));
  }
  const auto call = std::make_shared<Call>();
  call->driver = slot.driver;
  call->context.deadline_ms = wait_ms;
  call->context.catalog_entry = catalog_entry;
  call->context.credentials = credentials;
  call->context.vcc_id = vcc_id_;
  call->context.cancelled = &shared_->cancelled;
  const std::int64_t end = clock_.monoMs() + wait_ms;
  try {
    executor_->submit([call, shared = shared_, instance = slot.instance] {
      Status answer = call->driver->probe(call->context);
      {
        const MutexLock lock(shared->mutex);
        call->answer = std::move(answer);
        call->answered = true;
      }
      shared->leave(instance);
    });
  } catch (const std::system_error& e) {
    shared_->leave(slot.instance);
    return unavailable(fmt::format("driver {} was not asked: the system gave no thread: {}", slot.instance, e.what()));
  }
  Status answer;
  {
    MutexLock lock(shared_->mutex);
    while (!call->answered && clock_.monoMs() < end) {
      shared_->changed.waitFor(lock, std::chrono::milliseconds(end - clock_.monoMs()), [&] { return call->answered; });
    }
    if (!call->answered) {
      return deadlineExceeded(
          fmt::format("the cloud of driver {} did not answer within {} ms", slot.instance, wait_ms));
    }
    answer = call->answer;
  }
  if (answer.ok()) return answer;
  Status scrubbed(answer.code(), scrubberOf(credentials).scrub(answer.message()), answer.outcome());
  scrubbed.withProviderCode(answer.providerCode());
  return scrubbed;
}

Status CredentialProbe::refusal(const DriverSlot& slot, const std::string& catalog_entry,
                                const SecretString& credentials) {
  const Status answer = ask(slot, catalog_entry, credentials, kEarlyMs);
  const std::string code = answer.providerCode().empty() ? "" : fmt::format(" [{}]", answer.providerCode());
  switch (answer.code()) {
    case Code::kOk:
      return okStatus();
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
      return permissionDenied(
          fmt::format("the cloud of provider {} refuses the credentials: {}{}; correct them, or what they may do",
                      slot.driver->info().provider, answer.message(), code));
    case Code::kInvalidArgument:
      return invalidArgument(fmt::format("the cloud of provider {} refuses the request: {}{}",
                                         slot.driver->info().provider, answer.message(), code));
    default:
      log_.info("PROBE_INCONCLUSIVE", answer.message(), {{"driver", slot.instance}, {"code", codeName(answer.code())}});
      return okStatus();
  }
}

}  // namespace vcc

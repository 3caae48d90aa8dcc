// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/watchdog.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "plugin_host/cancellation.h"

namespace vcc {
namespace {

constexpr std::size_t kValidateThreads = 4;
constexpr std::size_t kMaxListed = 100'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 2;

}  // namespace

/// One call with copies of everything that its request borrows.
struct WatchdogDriver::Call {
  enum class Phase : std::uint8_t { kQueued, kRunning, kDone, kLeft };

  explicit Call(const DriverRequest& from) : asked(from) {
    if (from.context != nullptr) context = *from.context;
    if (from.items != nullptr) items = *from.items;
    if (from.spec != nullptr) spec = *from.spec;
    if (from.catalog_entry != nullptr) catalog_entry = *from.catalog_entry;
    context.cancelled = &cancelled;
    if (from.context != nullptr) asked.context = &context;
    if (from.items != nullptr) asked.items = &items;
    if (from.spec != nullptr) asked.spec = &spec;
    if (from.catalog_entry != nullptr) asked.catalog_entry = &catalog_entry;
    asked.visit = &visit;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  DriverRequest asked;  // borrows from the rest
  CallContext context;
  std::vector<MachineRef> items;
  std::string spec;
  std::string catalog_entry;
  std::atomic<bool> cancelled{false};
  std::vector<Observation> listed;
  const std::function<void(const Observation&)> visit = [this](const Observation& seen) {
    if (listed.size() >= kMaxListed) throw std::length_error("the list has no end");
    listed.push_back(seen);
  };
  std::int64_t began_ms = 0;

  // Guarded by Shared::mutex:
  Phase phase = Phase::kQueued;
  DriverAnswer answer;
  CondVar done;
};

/// What outlives the watchdog when a call is stuck.
struct WatchdogDriver::Shared {
  Shared(std::shared_ptr<Driver> l, std::string i, const Seams& seams, std::shared_ptr<DriverHealth> h)
      : lower(std::move(l)), instance(std::move(i)), clock(seams.clock), log(seams.log), health(std::move(h)) {}

  const std::shared_ptr<Driver> lower;
  const std::string instance;
  const Clock& clock;  // not to be used once `closed`
  Logger& log;         // likewise
  const std::shared_ptr<DriverHealth> health;

  mutable Mutex mutex;  // also of the calls
  bool closed VCC_GUARDED_BY(mutex) = false;
  std::shared_ptr<Shared> kept VCC_GUARDED_BY(mutex);  // itself, so that `lower` is never closed
  std::size_t stuck_calls VCC_GUARDED_BY(mutex) = 0;
  std::size_t stuck_validations VCC_GUARDED_BY(mutex) = 0;
  std::unordered_set<std::string> held VCC_GUARDED_BY(mutex);  // names of the machines of stuck calls

  std::size_t& stuckOf(const Call& call) VCC_REQUIRES(mutex) {
    return call.asked.call == DriverCall::kValidate ? stuck_validations : stuck_calls;
  }
  void countStuck(const Call& call, bool more) VCC_REQUIRES(mutex) {
    stuckOf(call) = more ? stuckOf(call) + 1 : stuckOf(call) - 1;
    for (const MachineRef& item : call.items) {
      for (const std::string* name : namesOf(item)) {
        if (more) {
          held.insert(*name);
        } else {
          held.erase(*name);
        }
      }
    }
    health->stuck_calls = static_cast<std::int64_t>(stuck_calls + stuck_validations);
  }
  void run(Call& call) VCC_EXCLUDES(mutex);
};

/// On a thread of the executor.
void WatchdogDriver::Shared::run(Call& call) {
  {
    const MutexLock lock(mutex);
    if (call.phase != Call::Phase::kQueued) return;
    call.phase = Call::Phase::kRunning;
  }
  if (call.context.deadline_ms > 0) {
    const std::int64_t left_ms = call.context.deadline_ms - (clock.monoMs() - call.began_ms);
    call.context.deadline_ms = left_ms > 0 ? left_ms : -1;  // 0 would mean none
  }
  DriverAnswer answer;
  try {
    answer = perform(*lower, call.asked);
  } catch (...) {  // out of memory, or an endless list
    answer = refusalOf(call.asked, Status(Code::kInternal, "the call ended with an exception", Outcome::kUnknown));
  }
  const MutexLock lock(mutex);
  if (call.phase == Call::Phase::kRunning) {
    call.answer = std::move(answer);
    call.phase = Call::Phase::kDone;
    call.done.notifyAll();
    return;
  }
  if (closed) return;
  countStuck(call, false);
  log.warn("DRIVER_CALL_LATE", "a call that was given up has returned; what it says is dropped",
           {{"driver", instance},
            {"call", driverCallName(call.asked.call)},
            {"op", call.context.op_id},
            {"took_ms", clock.monoMs() - call.began_ms},
            {"status", std::string(codeName(answer.firstError().code()))},
            {"still_stuck", health->stuck_calls.load()}});
}

WatchdogDriver::WatchdogDriver(const std::shared_ptr<Driver>& lower, const std::string& instance, const Seams& seams,
                               const WatchdogLimits& limits, std::shared_ptr<DriverHealth> health)
    : Interposer(lower),
      limits_(limits),
      calls_(seams.make_executor("call-" + instance, std::max<std::size_t>(lower->info().concurrency, 1))),
      validations_(seams.make_executor("check-" + instance, kValidateThreads)),
      shared_(std::make_shared<Shared>(lower, instance, seams, std::move(health))) {}

WatchdogDriver::~WatchdogDriver() {
  std::int64_t stuck = 0;
  {
    const MutexLock lock(shared_->mutex);
    stuck = shared_->health->stuck_calls;
    if (stuck == 0) return;
    shared_->closed = true;
    shared_->kept = shared_;
  }
  calls_->abandon();
  validations_->abandon();
  shared_->log.warn("DRIVER_LEFT_BEHIND",
                    "the driver is still in a call that it does not return from; it is neither waited for nor closed",
                    {{"driver", shared_->instance}, {"calls", stuck}});
}

DriverAnswer WatchdogDriver::intercept(const DriverRequest& request) {
  return performUnlessRefused(request, heldItems(request), [this](const DriverRequest& rest) { return watched(rest); });
}

std::vector<Status> WatchdogDriver::heldItems(const DriverRequest& request) const {
  std::vector<Status> refused(request.size());
  const MutexLock lock(shared_->mutex);
  for (std::size_t i = 0; i < refused.size() && !shared_->held.empty(); ++i) {
    for (const std::string* name : namesOf((*request.items)[i])) {
      if (!shared_->held.contains(*name)) continue;
      refused[i] = Status(Code::kUnavailable,
                          fmt::format("{} of {} was not sent: driver {} has not returned from an earlier call for this "
                                      "machine; if it never does, restart the controller",
                                      driverCallName(request.call), *name, shared_->instance),
                          Outcome::kNotApplied);
    }
  }
  return refused;
}

DriverAnswer WatchdogDriver::watched(const DriverRequest& request) {
  const auto refuse = [&](const std::string& why) {
    return refusalOf(request,
                     Status(Code::kUnavailable, fmt::format("{} was not sent: {}", driverCallName(request.call), why),
                            Outcome::kNotApplied));
  };
  const bool validation = request.call == DriverCall::kValidate;
  const auto call = std::make_shared<Call>(request);
  call->began_ms = shared_->clock.monoMs();
  {
    const MutexLock lock(shared_->mutex);
    const std::size_t stuck = shared_->stuckOf(*call);
    if (stuck >= (validation ? kValidateThreads : std::max<std::size_t>(info().concurrency, 1))) {
      return refuse(
          fmt::format("driver {} is stuck: it has not returned from {} calls, as many as it takes at once; if "
                      "that stays so, restart the controller, and report it to the driver's vendor",
                      shared_->instance, stuck));
    }
  }
  try {
    (validation ? validations_ : calls_)->submit([shared = shared_, call] { shared->run(*call); });
  } catch (const std::system_error& e) {
    return refuse(fmt::format("the system gave no thread for driver {}: {}", shared_->instance, e.what()));
  }
  DriverAnswer answer = await(call, request);
  if (request.call == DriverCall::kList && call->phase == Call::Phase::kDone) {
    for (const Observation& seen : call->listed) (*request.visit)(seen);
  }
  return answer;
}

DriverAnswer WatchdogDriver::await(const std::shared_ptr<Call>& call, const DriverRequest& request) {
  const bool validation = request.call == DriverCall::kValidate;
  const std::int64_t allowed_ms = validation ? limits_.validate_ms : request.context->deadline_ms;
  const std::int64_t deadline = allowed_ms == 0 ? kNever : call->began_ms + std::min(allowed_ms, kNever / 2);
  std::int64_t end = deadline + (validation ? 0 : limits_.grace_ms);
  MutexLock lock(shared_->mutex);
  for (;;) {
    if (call->phase == Call::Phase::kDone) return std::move(call->answer);
    const std::int64_t now = shared_->clock.monoMs();
    if (request.context && request.context->cancelled && *request.context->cancelled && !call->cancelled) {
      call->cancelled = true;
      end = std::min(end, now + limits_.cancel_ms);
    }
    const bool queued = call->phase == Call::Phase::kQueued;
    if (now >= end || (queued && (call->cancelled || now >= deadline))) {
      const Code code = call->cancelled && now < deadline ? Code::kCancelled : Code::kDeadlineExceeded;
      call->phase = Call::Phase::kLeft;
      call->cancelled = true;
      if (queued) {
        return refusalOf(request, Status(code,
                                         fmt::format("{} was not sent: no time was left before the driver was free",
                                                     driverCallName(request.call)),
                                         Outcome::kNotApplied));
      }
      shared_->countStuck(*call, true);
      shared_->log.error("DRIVER_CALL_STUCK",
                         "the driver did not return in time; the call is left to itself, its outcome is unknown",
                         {{"driver", shared_->instance},
                          {"call", driverCallName(request.call)},
                          {"op", call->context.op_id},
                          {"items", request.size()},
                          {"waited_ms", now - call->began_ms},
                          {"stuck", shared_->health->stuck_calls.load()}});
      return refusalOf(request, Status(code,
                                       fmt::format("driver {} did not return from {} in time; it is left to itself",
                                                   shared_->instance, driverCallName(request.call)),
                                       request.isMutation() ? Outcome::kUnknown : Outcome::kUnspecified));
    }
    call->done.waitFor(lock, std::chrono::milliseconds(std::clamp<std::int64_t>(end - now, 1, kCancelSliceMs)));
  }
}

}  // namespace vcc

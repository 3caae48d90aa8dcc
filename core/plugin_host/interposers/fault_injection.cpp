// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/fault_injection.h"

#include <utility>

namespace vcc {
namespace {

bool concerns(const FaultRule& rule, const DriverRequest& request, std::size_t position) {
  return !rule.item || (*request.items)[position].name == *rule.item;
}

}  // namespace

FaultRule FaultRule::lostAnswer(DriverCall call, std::int64_t nth) {
  return {.call = call,
          .nth = nth,
          .when = When::kAfter,
          .error = Status(Code::kUnavailable, "injected: the answer was lost", Outcome::kUnknown)};
}

FaultRule FaultRule::droppedItem(DriverCall call, std::string name, std::int64_t nth) {
  return {.call = call, .nth = nth, .when = When::kAfter, .error = noAnswer(), .item = std::move(name)};
}

void FaultInjectingDriver::add(FaultRule rule) {
  const MutexLock lock(mutex_);
  rules_.push_back(std::move(rule));
}

std::vector<FaultRule> FaultInjectingDriver::dueFor(DriverCall call) {
  const MutexLock lock(mutex_);
  const std::int64_t number = ++calls_[call];
  std::vector<FaultRule> due;
  for (const FaultRule& rule : rules_) {
    if (rule.call == call && (rule.nth == 0 || rule.nth == number)) due.push_back(rule);
  }
  return due;
}

void FaultInjectingDriver::delay(const DriverRequest& request, const FaultRule& rule) const {
  if (rule.delay_ms <= 0) return;
  wait_(rule.delay_ms, [&] {
    return request.context != nullptr && request.context->cancelled != nullptr && request.context->cancelled->load();
  });
}

DriverAnswer FaultInjectingDriver::intercept(const DriverRequest& request) {
  const std::vector<FaultRule> due = dueFor(request.call);
  std::vector<Status> refused(request.size());
  for (const FaultRule& rule : due) {
    if (rule.when != FaultRule::When::kBefore) continue;
    delay(request, rule);
    if (rule.error.ok()) continue;
    if (request.items == nullptr) return refusalOf(request, rule.error);
    for (std::size_t i = 0; i < refused.size(); ++i) {
      if (concerns(rule, request, i)) refused[i] = rule.error;
    }
  }
  DriverAnswer answer =
      performUnlessRefused(request, refused, [this](const DriverRequest& rest) { return passOn(rest); });
  for (const FaultRule& rule : due) {
    if (rule.when != FaultRule::When::kAfter) continue;
    delay(request, rule);
    if (rule.error.ok()) continue;
    DriverAnswer lost = refusalOf(request, rule.error);
    if (request.items == nullptr) return lost;
    for (std::size_t i = 0; i < refused.size(); ++i) {
      if (!concerns(rule, request, i)) continue;
      if (i < answer.results.size()) answer.results[i] = lost.results[i];
      if (i < answer.seen.size()) answer.seen[i] = lost.seen[i];
    }
  }
  return answer;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "plugin_host/http_service.h"
#include "plugin_host/interposers/interposer.h"

namespace vcc {

/// What is to go wrong, once or often. With an error a refusal (`before`: the driver below never hears of it) or a lost
/// answer (`after`: it did what was asked, and nothing of what it said comes back); without one only a delay.
struct FaultRule {
  enum class When : std::uint8_t { kBefore, kAfter };

  DriverCall call = DriverCall::kCreate;
  std::int64_t nth = 1;  ///< which call of this kind, from 1, counted from the making of the driver; 0 = every
  When when = When::kBefore;
  Status error;                     ///< what the caller hears; its outcome is not checked against `when`
  std::optional<std::string> item;  ///< only the machine of this name; empty: all of the call
  std::int64_t delay_ms = 0;        ///< before the error, or before the call goes on

  /// The call has its effect, and nobody hears of it.
  static FaultRule lostAnswer(DriverCall call, std::int64_t nth = 1);
  /// One machine of a batch is not answered for.
  static FaultRule droppedItem(DriverCall call, std::string name, std::int64_t nth = 1);
};

/// For tests and simulation: does what its rules say, in their order, and nothing by chance. Thread safe.
class FaultInjectingDriver final : public Interposer {
 public:
  /// `wait` is how time passes: waitUnless (host_services.h), or a step of a fake clock.
  FaultInjectingDriver(std::shared_ptr<Driver> lower, std::vector<FaultRule> rules, Wait wait)
      : Interposer(std::move(lower)), wait_(std::move(wait)), rules_(std::move(rules)) {}

  void add(FaultRule rule);

 private:
  DriverAnswer intercept(const DriverRequest& request) override;
  std::vector<FaultRule> dueFor(DriverCall call);
  void delay(const DriverRequest& request, const FaultRule& rule) const;

  const Wait wait_;
  Mutex mutex_;
  std::vector<FaultRule> rules_ VCC_GUARDED_BY(mutex_);
  std::map<DriverCall, std::int64_t> calls_ VCC_GUARDED_BY(mutex_);
};

}  // namespace vcc

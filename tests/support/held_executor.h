// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <utility>

#include "base/executor.h"

namespace vcc::test {

/// Holds jobs back until the test lets them go.
class HeldExecutor final : public Executor {
 public:
  explicit HeldExecutor(std::deque<Job>& held) : held_(held) {}
  void submit(Job job) override { held_.push_back(std::move(job)); }

 private:
  std::deque<Job>& held_;
};

}  // namespace vcc::test

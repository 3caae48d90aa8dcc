// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <deque>
#include <utility>

#include "base/executor.h"

namespace vcc::test {

/// Threads that stand still until told to work, each job a thread.
class HeldThreads final : public Executor {
 public:
  HeldThreads(std::deque<Job>& jobs, std::size_t threads) : jobs_(jobs), threads_(threads) {}
  void submit(Job job) override {
    REQUIRE(jobs_.size() < threads_);  // never more than there are
    jobs_.push_back(std::move(job));
  }

 private:
  std::deque<Job>& jobs_;
  std::size_t threads_;
};

}  // namespace vcc::test

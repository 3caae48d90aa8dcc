// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "support/fake_driver.h"

namespace vcc::test {

/// A cloud that can list, with everything that may be wrong with its lists.
class ListingCloud final : public FakeDriver {
 public:
  int list_calls = 0;
  Status list_error;                                     ///< of every list, while it is not ok
  bool list_complete = true;                             ///< false: lists break off, and show nothing
  std::set<std::string> unlisted;                        ///< names that lists do not show
  Status observe_error;                                  ///< of every point read, while it is not ok
  MachineState list_shows = MachineState::kUnspecified;  ///< stale: what lists say of every machine instead
  std::function<void()> on_list;                         ///< called in every list

  ListingCloud() { facts.can_list = true; }

  std::vector<Observation> observe(const CallContext& call, const std::vector<MachineRef>& refs) override {
    auto seen = FakeDriver::observe(call, refs);
    if (!observe_error.ok()) {
      for (Observation& one : seen) one = {.error = observe_error};
    }
    return seen;
  }

  Status list(const CallContext& call, const std::function<void(const Observation&)>& visit, bool* complete) override {
    ++list_calls;
    if (on_list) on_list();
    *complete = false;
    if (!list_error.ok() || !list_complete) return list_error;
    return FakeDriver::list(
        call,
        [&](const Observation& machine) {
          if (unlisted.contains(machine.name)) return;
          Observation seen = machine;
          if (list_shows != MachineState::kUnspecified) seen.state = list_shows;
          visit(seen);
        },
        complete);
  }
};

}  // namespace vcc::test

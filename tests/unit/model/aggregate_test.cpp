// SPDX-License-Identifier: Apache-2.0
#include "model/aggregate.h"

#include <doctest/doctest.h>

#include <vector>

using namespace vcc;
using enum State;

namespace {

State of(const std::vector<State>& nodes, bool deleting = false, const std::string& fault = "") {
  Unit unit;
  unit.deleting = deleting;
  unit.fault.text = fault;
  return unitState(unit, nodes);
}

VcState vcOf(const std::vector<State>& units, bool pending = false, bool deleting = false) {
  Vc vc;
  vc.deleting = deleting;
  return vcState(vc, units, pending);
}

}  // namespace

TEST_CASE("the state of a unit") {
  CHECK(of({}) == kRunning);
  CHECK(of({kBooting, kBooting}) == kBooting);
  CHECK(of({kPowerOff}) == kPowerOff);
  CHECK(of({kHostError, kHostError}) == kHostError);
  CHECK(of({kRunning, kBooting}) == kIndefinite);
  CHECK(of({kRunning, kHostError}) == kIndefinite);
  CHECK(of({kDeleting, kRunning}) == kIndefinite);
}

TEST_CASE("a unit is in ERROR while any node is, or for its own fault") {
  CHECK(of({kRunning, kError, kBooting}) == kError);
  CHECK(of({kError}) == kError);
  CHECK(of({}, false, "refused") == kError);
  CHECK(of({kBooting}, false, "refused") == kError);
}

TEST_CASE("a unit that is being deleted shows DELETING at once, whatever failed") {
  CHECK(of({}, true) == kDeleting);
  CHECK(of({kError, kDeleting}, true) == kDeleting);
  CHECK(of({kRunning}, true, "refused") == kDeleting);
}

TEST_CASE("the state of a VC") {
  CHECK(vcOf({}) == VcState::kRunning);
  CHECK(vcOf({kRunning, kPowerOff, kHostError}) == VcState::kRunning);
  CHECK(vcOf({kRunning, kBooting}) == VcState::kApplying);
  CHECK(vcOf({kIndefinite}) == VcState::kRunning);
  CHECK(vcOf({kIndefinite}, true) == VcState::kApplying);
  CHECK(vcOf({kDeleting}) == VcState::kApplying);
  CHECK(vcOf({kDeleting}, true, true) == VcState::kDeleting);
  CHECK(vcOf({}, false, true) == VcState::kDeleting);
  CHECK(vcOf({kError, kBooting}, true) == VcState::kError);
  CHECK(vcOf({kError, kDeleting}, true, true) == VcState::kError);
}

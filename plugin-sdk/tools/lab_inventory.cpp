// SPDX-License-Identifier: Apache-2.0
// What exists in the cloud of a lab, and what of it was made there.
#include <algorithm>
#include <iterator>

#include "lab.h"
#include "plugin.h"
#include "report.h"

namespace vcp::check {

std::vector<Object> Lab::objects() {
  if (wire_) return wire_->objects();
  std::vector<Object> all;
  if (bench_.info().existence == VCP_EXISTENCE_ASSERTED) return all;
  const bool is_listed = (bench_.info().capabilities & VCP_CAP_LIST) != 0;
  if (is_listed) {
    for (const Grant* grant : grantsOf(bench_.of())) {
      Asking asking;
      asking.grant = grant;
      const plugin::testing::Seen seen = list(asking);
      if (seen.code != VCP_OK || !seen.complete) fail("a complete list", toText(seen.error));
      for (const auto& [index, machine] : seen.machines) {
        if (machine.state != plugin::State::kGone) all.push_back({"machine", machine.name, machine.cloud_id, ""});
      }
    }
  }
  for (const Machine& machine : minted_) {
    if (is_listed && !machine.is_disk) continue;
    const Sight sight = observe({bare(machine)}).front();
    if (sight.failed) fail("a look at " + machine.name, sight.text());
    if (!sight.isGone()) {
      all.push_back({machine.is_disk ? "disk" : "machine", machine.name, sight.seen.cloud_id, ""});
    }
  }
  return all;
}

std::vector<Object> Lab::made() {
  std::vector<Object> all = objects();
  std::vector<Object> before = before_;
  std::sort(all.begin(), all.end());
  std::sort(before.begin(), before.end());
  // Without a simulated cloud two accounts may see the same.
  const auto same = [](const Object& a, const Object& b) { return !(a < b) && !(b < a); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  std::vector<Object> out;
  std::set_difference(all.begin(), all.end(), before.begin(), before.end(), std::back_inserter(out));
  return out;
}

std::map<std::string, int> Lab::madeKinds() {
  std::map<std::string, int> kinds;
  for (const Object& object : made()) ++kinds[object.kind];
  return kinds;
}

std::string Lab::madeText() {
  std::string text;
  for (const auto& [kind, count] : madeKinds()) text += (text.empty() ? "" : ", ") + kind + " " + std::to_string(count);
  return text.empty() ? "nothing" : text;
}

void Lab::expectNothingLeft(const std::string& when) {
  std::string left;
  for (const Object& object : made())
    left += (left.empty() ? "" : ", ") + object.kind + " " + object.name + " (" + object.id + ")";
  expect(left.empty(), "nothing is left " + when, left);
}

}  // namespace vcp::check

// SPDX-License-Identifier: Apache-2.0
// What GET /vcs/{vcid} of 1,000 nodes costs: unchanged, and after each change of one node.
#define DOCTEST_CONFIG_IMPLEMENT
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "bench/filled_rig.h"

namespace {

using namespace vcc;

constexpr int kNodes = 1000;
constexpr int kRounds = 300;

/// Microseconds of one call, of many.
template <typename Call>
double microseconds(const Clock& clock, Call call) {
  const std::int64_t begin = clock.monoMs();
  for (int i = 0; i < kRounds; ++i) call(i);
  return static_cast<double>(clock.monoMs() - begin) * 1e3 / kRounds;
}

}  // namespace

int main() {
  doctest::Context assertions;  // of the rig
  assertions.setAsDefaultForAssertsOutOfTestCases();
  const SystemClock clock;
  bench::FilledRig rig(1, kNodes);
  std::string vcid;
  std::vector<std::string> nodes;
  rig.store->read([&](const ReadTx& tx) {
    tx.nodes().scan([&](const Node& node) {
      vcid = node.vcid;
      nodes.push_back(node.node_id);
      return true;
    });
  });
  const auto change = [&](int i) {
    const Status done = rig.store->transact([&](Tx& tx) -> Status {
      Node node = *tx.nodes().find(nodes[static_cast<std::size_t>(i)]);
      node.watch_mode = !node.watch_mode;
      return tx.nodes().put(std::move(node));
    });
    if (!done.ok()) std::abort();
  };
  std::size_t bytes = 0;
  const HttpHead head = test::ApiRig::makeHead("GET", kVcpPrefix + ("/vcs/" + vcid), "127.0.0.1", rig.token);
  const auto get = [&](int) { bytes = test::ApiRig::ask(*rig.api, head, "").body.size(); };
  const double unchanged = microseconds(clock, get);
  const double changes = microseconds(clock, change);
  const double both = microseconds(clock, [&](int i) {
    change(i);
    get(i);
  });
  fmt::print("GET /vcs/{{vcid}} of {} nodes, {} bytes: unchanged {:.0f} us, after a change of one node {:.0f} us\n",
             kNodes, bytes, unchanged, both - changes);
  return 0;
}

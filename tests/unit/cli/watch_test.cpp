// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "cli/terminal.h"
#include "cli/watch_view.h"
#include "support/text.h"

using vcc::test::contains;
using namespace vcc::cli;

namespace {

std::string nodeJson(int number, const std::string& outcome, const std::string& state, const std::string& more = "") {
  return R"({"node_no":)" + std::to_string(number) + R"(,"outcome":")" + outcome + R"(","state":")" + state +
         R"(","goal":"RUNNING")" + more + "}";
}

Json progress(const std::string& state, int nodes, int reached, int failed, const std::string& node) {
  return Json::parse(R"({"name":"g","owner":"anna","state":"APPLYING","now_ms":100000,"units":[{"name":"web",)"
                     R"("provider":"mock","state":")" +
                     state + R"(","verb":"create","nodes":)" + std::to_string(nodes) + R"(,"reached":)" +
                     std::to_string(reached) + R"(,"failed":)" + std::to_string(failed) + R"(,"percent":45,"node":[)" +
                     node + "]}]}");
}

}  // namespace

TEST_CASE("the verdict waits for everything, then one failure counts") {
  CHECK(verdictOf(progress("BOOTING", 3, 1, 1, "")) == Verdict::kUnderWay);
  CHECK(verdictOf(progress("RUNNING", 3, 3, 0, "")) == Verdict::kReached);
  CHECK(verdictOf(progress("ERROR", 3, 2, 1, "")) == Verdict::kFailed);
  CHECK(verdictOf(progress("INDEFINITE", 3, 2, 1, "")) == Verdict::kFailed);  // HOST_ERROR of one
  CHECK(verdictOf(progress("ERROR", 0, 0, 0, "")) == Verdict::kFailed);       // a fault of the unit itself
  CHECK(verdictOf(Json::parse(R"({"units":[]})")) == Verdict::kReached);
}

TEST_CASE("a frame tells what matters first, and fits the terminal") {
  std::string nodes = nodeJson(1, "reached", "RUNNING");
  nodes += "," + nodeJson(2, "pending", "BOOTING",
                          R"(,"step":"ssh","step_ms":20000,"attempts":4,"next_ms":105000,"address":"10.0.0.2",)"
                          R"("cloud_id":"i-2","machine":"vcp-x","progress":"no answer","fault":"refused")");
  for (int i = 3; i <= 30; ++i) nodes += "," + nodeJson(i, "reached", "RUNNING");
  const Json json = progress("BOOTING", 30, 29, 0, nodes);
  const auto lines = frameOf(json, {80, 24});
  REQUIRE(lines.size() <= 23);
  CHECK(lines[0] == "UnitGroup g of anna: APPLYING");
  CHECK(lines[2] == "web   mock      BOOTING  create  29 of 30  [#########...........] 45 %  ");
  CHECK(lines[5] == "web/2   BOOTING  RUNNING  ssh   1 m 20 s  4      5 s   10.0.0.2  no answer; refused");
  CHECK(contains(lines[6], "web/1   RUNNING  RUNNING  -"));
  CHECK(lines.back() == "... and 13 more nodes");
  const auto wide = frameOf(json, {160, 60});
  CHECK(wide.size() == 35);
  CHECK(contains(wide[5], "10.0.0.2  i-2  vcp-x    no answer"));
  CHECK(frameOf(json, {20, 3}).size() > 3);  // Redraw cuts it
}

TEST_CASE("plain lines are the changes: not times, not percentages") {
  const auto first = linesOf(progress("BOOTING", 2, 0, 0,
                                      nodeJson(1, "pending", "BOOTING", R"(,"step":"create","step_ms":1)") + "," +
                                          nodeJson(2, "pending", "BOOTING", R"(,"step":"create")")));
  CHECK(changesOf({}, first).size() == 3);
  CHECK(changesOf(first, first).empty());
  const auto later =
      linesOf(progress("BOOTING", 2, 0, 0,
                       nodeJson(1, "pending", "BOOTING", R"(,"step":"create","step_ms":7,"next_ms":9)") + "," +
                           nodeJson(2, "pending", "BOOTING",
                                    R"(,"step":"ssh","address":"10.0.0.2","cloud_id":"i-2","progress":"a\nb")")));
  CHECK(changesOf(first, later) ==
        std::vector<std::string>{"web/2: BOOTING, step ssh, goal RUNNING, 10.0.0.2, i-2: a?b"});
  const auto failed = linesOf(progress("ERROR", 1, 0, 1, nodeJson(2, "failed", "ERROR", R"(,"fault":"no room")")));
  CHECK(changesOf(later, failed) ==
        std::vector<std::string>{"unit web: ERROR, 0 of 1 nodes reached their goal, create, 1 failed",
                                 "web/2: ERROR: no room", "web/1: gone"});
}

TEST_CASE("text is cut at whole characters, wide ones taking two columns") {
  CHECK(fitTo("abcdef", 4) == "abcd");
  CHECK(fitTo("abc", 4) == "abc");
  CHECK(fitTo("a\x1b[2Jb", 9) == "a?[2Jb");
  CHECK(fitTo("\xe8\xb5\xb7\xe5\x8b\x95", 3) == "\xe8\xb5\xb7");
  CHECK(fitTo("\xc3\xa9\xc3\xa9\xc3\xa9", 2) == "\xc3\xa9\xc3\xa9");
  CHECK(fitTo("a\xff"
              "b",
              9) ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(fitTo("abc", 0).empty());
}

TEST_CASE("a frame is drawn over the one before, or on a clear screen when the size has changed") {
  Redraw redraw;
  CHECK(redraw.frame({"one", "two"}, {80, 24}) == "one\x1b[K\ntwo\x1b[K\n\x1b[J");
  CHECK(redraw.frame({"three"}, {80, 24}) == "\x1b[2A\rthree\x1b[K\n\x1b[J");
  CHECK(redraw.frame({"abcdef"}, {4, 24}) == "\x1b[2J\x1b[Habcd\x1b[K\n\x1b[J");
  CHECK(redraw.frame({"a", "b", "c", "d"}, {4, 3}) == "\x1b[2J\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
  CHECK(redraw.frame({}, {4, 3}) == "\x1b[2A\r\x1b[J");
}

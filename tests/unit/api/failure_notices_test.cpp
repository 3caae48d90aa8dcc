// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/failure_notices.h"

#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct NoticeRig : ApiRig {
  std::string vcid = makeVc(token, "web");
  std::vector<std::string> nodes;

  NoticeRig() {
    makeUnit(vcid, "u", 2);
    nodes = woken;
  }
  std::string serfName(int node_no) const { return fmt::format("{}:u:{}", vcid, node_no); }
  static std::string notice(const std::string& tags, const std::string& event = "member-failed") {
    return fmt::format(R"({{"eventtype": "{}", "tag": [{}]}})", event, tags);
  }
  HttpAnswer tell(const std::string& who, const std::string& body) { return call(who, "POST", "/vcs/fail", body); }
};

}  // namespace

TEST_CASE("a notice makes named nodes be looked at, by either name and either event") {
  NoticeRig rig;
  CHECK(rig.tell(rig.token, NoticeRig::notice('"' + rig.serfName(1) + '"')).status == 202);
  CHECK(rig.looked_at == std::vector<std::string>{rig.nodes[0]});
  rig.looked_at.clear();
  CHECK(rig.tell(rig.token, NoticeRig::notice('"' + rig.nodes[1] + '"', "member-fail")).body == "{}");
  CHECK(rig.looked_at == std::vector<std::string>{rig.nodes[1]});
}

TEST_CASE("what names nothing, and what is no failure, is ignored") {
  NoticeRig rig;
  for (const std::string& body :
       {std::string(), std::string("{}"), NoticeRig::notice(""), NoticeRig::notice("17, \"x\", \"::\", \"a:b:c\""),
        NoticeRig::notice('"' + rig.serfName(9) + '"'), NoticeRig::notice('"' + rig.serfName(1) + "x\""),
        NoticeRig::notice('"' + rig.serfName(1) + '"', "member-join")}) {
    CAPTURE(body);
    CHECK(rig.tell(rig.token, body).status == 202);
  }
  CHECK(rig.looked_at.empty());
}

TEST_CASE("a notice of another shape is 400 and names the field") {
  NoticeRig rig;
  const std::pair<const char*, const char*> bodies[] = {
      {R"({"eventtype": 5})", "eventtype"},
      {R"({"eventtype": "member-failed", "tag": "x"})", "tag"},
      {R"({"tag": [null]})", "tag[0]"},
      {R"({"tag": ["x", {}]})", "tag[1]"},
      {R"({"tag": ["x", 1, true]})", "tag[2]"},
      {R"({"tag": [1.5]})", "tag[0]"},
      {"[]", "JSON object"},
      {"{\"tag\": [worker]}", "not JSON"},
      {R"({"tag": ["a\u0000b"]})", "NUL character"},
  };
  for (const auto& [body, says] : bodies) {
    CAPTURE(body);
    const HttpAnswer answer = rig.tell(rig.token, body);
    CHECK(answer.status == 400);
    CHECK(contains(answer.body, says));
  }
  std::string many = "1";
  for (int i = 0; i < 1000; ++i) many += ",1";
  CHECK(contains(rig.tell(rig.token, NoticeRig::notice(many)).body, "more than 1000"));
}

TEST_CASE("whoever has no token is refused, and nobody reaches the add-unit handler") {
  NoticeRig rig;
  const std::string notice = NoticeRig::notice('"' + rig.serfName(1) + '"');
  CHECK(rig.tell("", notice).status == 403);
  CHECK(rig.tell("", "").status == 403);
  CHECK(rig.tell(rig.reader, notice).status == 403);
  CHECK(rig.looked_at.empty());
  const std::string unit = "{\"info\": \"" + unitCci("v", 1) + "\", \"unit_name\": \"v\"}";
  CHECK(rig.tell(rig.token, unit).body == "{}");
  CHECK(rig.woken == rig.nodes);
}

TEST_CASE("other people's nodes are ignored like unknown ones") {
  NoticeRig rig;
  const std::string notice = NoticeRig::notice('"' + rig.serfName(1) + '"');
  CHECK(rig.tell(rig.other, notice).status == 202);
  CHECK(rig.tell(rig.super, notice).status == 202);
  CHECK(rig.looked_at.empty());
  CHECK(rig.call(rig.super, "POST", "/vcs/fail", notice, "true").status == 202);
  CHECK(rig.looked_at.size() == 1);
}

TEST_CASE("on the admin socket no token is needed") {
  NoticeRig rig;
  CHECK(rig.administer("POST", "/vcs/fail", NoticeRig::notice('"' + rig.serfName(2) + '"')).status == 202);
  CHECK(rig.looked_at == std::vector<std::string>{rig.nodes[1]});
}

TEST_CASE("a node is looked at once in ten seconds, and a peer that shouts is told to wait") {
  NoticeRig rig;
  const std::string notice = NoticeRig::notice('"' + rig.serfName(1) + "\", \"" + rig.serfName(1) + '"');
  CHECK(rig.tell(rig.token, notice).status == 202);
  CHECK(rig.tell(rig.token, notice).status == 202);
  CHECK(rig.looked_at.size() == 1);
  rig.clock.advance(10000);
  CHECK(rig.tell(rig.token, notice).status == 202);
  CHECK(rig.looked_at.size() == 2);
  HttpAnswer answer;
  for (int i = 0; i < 70 && answer.status != 429; ++i) answer = rig.tell(rig.token, notice);
  CHECK(answer.status == 429);
  CHECK(contains(answer.body, "VCPLimitException"));
  REQUIRE(answer.headers.size() == 1);
  CHECK(answer.headers[0].first == "Retry-After");
  CHECK(rig.call(rig.token, "POST", "/vcs/fail", notice, "", "192.0.2.7").status == 202);  // another one
  rig.clock.advance(1000);
  CHECK(rig.tell(rig.token, notice).status == 202);
}

TEST_CASE("an IPv6 client that shouts from all the addresses of its network is one that shouts") {
  NoticeRig rig;
  int taken = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string peer = fmt::format("2001:db8:1:2::{:x}", i);
    taken += rig.call(rig.token, "POST", "/vcs/fail", "", "", peer).status == 202 ? 1 : 0;
  }
  CHECK(taken == 60);
  CHECK(rig.call(rig.token, "POST", "/vcs/fail", "", "", "2001:db8:1:3::1").status == 202);
}

TEST_CASE("nobody watches a node without watch_mode") {
  NoticeRig rig;
  REQUIRE(rig.store
              ->transact([&](Tx& tx) {
                Node node = *tx.nodes().find(rig.nodes[0]);
                node.watch_mode = false;
                return tx.nodes().put(std::move(node));
              })
              .ok());
  CHECK(rig.tell(rig.token, NoticeRig::notice('"' + rig.serfName(1) + '"')).status == 202);
  CHECK(rig.looked_at.empty());
}

// SPDX-License-Identifier: Apache-2.0
#include "api_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

enum class Who : std::uint8_t {
  kOwner,
  kOther,
  kSuper,
  kPrivilegedSuper,
  kReadOnly,
  kPrivilegedRegular,
  kUnknown,
  kExpired,
  kRevoked,
  kNone,
};
constexpr Who kEverybody[] = {Who::kOwner,    Who::kOther,
                              Who::kSuper,    Who::kPrivilegedSuper,
                              Who::kReadOnly, Who::kPrivilegedRegular,
                              Who::kUnknown,  Who::kExpired,
                              Who::kRevoked,  Who::kNone};

/// A UnitGroup of nobody's, and one token of each kind.
struct PeopleRig : ApiRig {
  std::string expired = expiredToken();
  std::string revoked = revokedToken();
  std::string vcid = makeVc(token, "mine");
  std::string node;

  PeopleRig() {
    makeUnit(vcid, "web", 1);
    node = woken.front();
  }
  std::string expiredToken() {
    NewToken wanted;
    wanted.life_ms = 1000;
    const std::string made = createToken(*store, random, wanted)->reveal();
    clock.advance(2000);
    return made;
  }
  std::string revokedToken() {
    const std::string made = makeToken("nobody", ApiRole::kFullAccess);
    REQUIRE(revokeToken(*store, made).ok());
    return made;
  }

  std::string tokenOf(Who who) const {
    switch (who) {
      case Who::kOwner:
      case Who::kPrivilegedRegular:
        return token;
      case Who::kOther:
        return other;
      case Who::kSuper:
      case Who::kPrivilegedSuper:
        return super;
      case Who::kReadOnly:
        return reader;
      case Who::kUnknown:
        return "s.unknown0123456789ABCDEFGHIJ";
      case Who::kExpired:
        return expired;
      case Who::kRevoked:
        return revoked;
      case Who::kNone:
        break;
    }
    return {};
  }

  std::string pathOf(const Route& route) const {
    std::string path = route.pattern;
    for (const auto& [name, value] :
         {std::pair<std::string, std::string>{"{vcid}", vcid}, {"{unit}", "web"}, {"{node_id}", node}}) {
      if (const std::size_t at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    }
    return path;
  }

  HttpAnswer ask(const Route& route, Who who) {
    const bool privileged = who == Who::kPrivilegedSuper || who == Who::kPrivilegedRegular;
    return call(tokenOf(who), route.method, pathOf(route), bodyOf(route), privileged ? "tRUE" : "");
  }

  /// One that the command behind the route looks into far enough to ask whose the UnitGroup is.
  static std::string bodyOf(const Route& route) {
    if (route.method == "POST" && route.pattern == "/vcs") return "{\"cci\": \"" + vcCci("x") + "\"}";
    if (route.method == "POST") return "{\"info\": \"" + unitCci("x", 1) + "\", \"unit_name\": \"x\"}";
    if (route.method == "PUT") return route.pattern == "/vcs/{vcid}" ? "{}" : R"({"num_nodes": 1})";
    if (route.method == "PATCH") return R"({"owner": "other", "operation": "change_owner"})";
    return route.method == "DELETE" ? R"({"force": "true"})" : "";
  }
};

/// What the answer must say; empty = anything but 403.
std::string refusalOf(const Route& route, Who who) {
  if (!route.needs_token) return {};
  const bool of_a_group = route.pattern.find("{vcid}") != std::string::npos;
  switch (who) {
    case Who::kOwner:
    case Who::kPrivilegedSuper:
      return {};
    case Who::kOther:
    case Who::kSuper:
      return of_a_group ? "belongs to another user" : "";
    case Who::kReadOnly:
      return route.mutating ? "the token has the role readonly" : "";
    case Who::kPrivilegedRegular:
      return "privileged mode is refused: user nobody has the role regular";
    default:
      return "token lookup is failed: permission denied";
  }
}

}  // namespace

TEST_CASE("who may ask what: every route, every kind of caller") {
  const std::vector<Route> routes = ApiRig().routes;
  REQUIRE(routes.size() > 20);
  for (const Route& route : routes) {
    for (const Who who : kEverybody) {
      PeopleRig rig;
      CAPTURE(route.method);
      CAPTURE(route.pattern);
      CAPTURE(static_cast<int>(who));
      const std::string refusal = refusalOf(route, who);
      const HttpAnswer answer = rig.ask(route, who);
      CAPTURE(answer.body);
      CHECK((answer.status == 403) == !refusal.empty());
      CHECK(answer.status < 500);
      if (refusal.empty()) continue;
      const std::string head = rig.tokenOf(who).substr(0, 8);
      CHECK(answer.body.rfind("{\"message\":\"2022/09/27 15:32:59 UTC: VCPAuthException: " + head + ":", 0) == 0);
      CHECK(contains(answer.body, refusal));
      if (who != Who::kNone) CHECK_FALSE(contains(answer.body, rig.tokenOf(who)));
    }
  }
}

TEST_CASE("lists are filtered by owner, and not in privileged mode") {
  PeopleRig rig;
  const std::string theirs = rig.makeVc(rig.other, "theirs");
  const auto list = [&](const std::string& who, const std::string& privileged = "") {
    return rig.call(who, "GET", "/vcs", "", privileged).body;
  };
  CHECK(contains(list(rig.token), rig.vcid));
  CHECK_FALSE(contains(list(rig.token), theirs));
  CHECK(contains(list(rig.reader), rig.vcid));  // the same user's
  CHECK(list(rig.super) == R"({"vcs":[]})");
  CHECK(contains(list(rig.super, "TRUE"), rig.vcid));
  CHECK(contains(list(rig.super, "TRUE"), theirs));
}

TEST_CASE("a stray privileged header of a super user harms none of their own calls") {
  ApiRig rig;
  const HttpAnswer made = rig.call(rig.super, "POST", "/vcs", "{\"cci\": \"" + vcCci("own") + "\"}", "True");
  CHECK(made.status == 202);
  const std::string vcid = made.body.substr(9, 32);
  CHECK(contains(rig.call(rig.super, "GET", "/vcs/" + vcid).body, R"("owner":"boss")"));
  CHECK(rig.call(rig.super, "DELETE", "/vcs/" + vcid, "{}", "True").status == 202);
}

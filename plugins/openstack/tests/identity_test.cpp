// SPDX-License-Identifier: Apache-2.0
#include "identity.h"

#include "rig.h"

using namespace openstack_test;

namespace {

openstack::Site siteOf(const std::string& entry, const char* options = "{}") {
  return openstack::parseSite(
      entry, openstack::parseSettings(R"({"instance":"openstack","options":)" + std::string(options) + "}"));
}

Json bodyOf(const std::string& entry, const std::string& keys) {
  const openstack::Site site = siteOf(entry);
  return Json::parse(openstack::authBody(openstack::parseCredentials(keys, site), site));
}

/// Keystone's answer with these services: {type, region, interface, url}.
HttpResponse opened(const std::vector<std::vector<std::string>>& services) {
  Json catalog = Json::array();
  for (const auto& one : services) {
    catalog.push_back(
        {{"type", one[0]}, {"endpoints", {{{"region_id", one[1]}, {"interface", one[2]}, {"url", one[3]}}}}});
  }
  HttpResponse response = answer(201, Json{{"token",
                                            {{"project", {{"id", "p1"}}},
                                             {"expires_at", "2026-11-23T01:00:00.000000Z"},
                                             {"issued_at", "2026-11-23T00:00:00.000000Z"},
                                             {"catalog", catalog}}}}
                                          .dump());
  response.headers = {{"X-Subject-Token", "tok"}};
  return response;
}

}  // namespace

TEST_CASE("identity: password and application credential") {
  Json body = bodyOf(kEntry, kKeys).at("auth");
  CHECK(body["identity"]["methods"] == Json{"password"});
  CHECK(body["identity"]["password"]["user"]["name"] == "alice.of.cloud");
  CHECK(body["identity"]["password"]["user"]["domain"] == Json{{"id", "default"}});
  CHECK(body["scope"]["project"] == Json{{"name", "alice"}, {"domain", {{"id", "default"}}}});
  body = bodyOf(entryWith(R"({"domain_name":"univ"})"), kKeys).at("auth");
  CHECK(body["identity"]["password"]["user"]["domain"] == Json{{"name", "univ"}});
  CHECK(body["scope"]["project"]["domain"] == Json{{"name", "univ"}});
  body = bodyOf(entryWith(R"({"domain_id":"d1","openstack_user_domain_name":"ldap"})"), kKeys).at("auth");
  CHECK(body["identity"]["password"]["user"]["domain"] == Json{{"name", "ldap"}});
  CHECK(body["scope"]["project"]["domain"] == Json{{"id", "d1"}});
  body = bodyOf(entryWith(R"({"openstack_tenant_id":"p9"})"), kKeys).at("auth");
  CHECK(body["scope"]["project"] == Json{{"id", "p9"}});
  body = bodyOf(kEntry, R"({"user":"hokudai","password":"x"})").at("auth");
  CHECK(body["identity"]["password"]["user"]["name"] == "hokudai");

  body = bodyOf(kEntry, R"({"application_credential_id":"c","application_credential_secret":"s"})").at("auth");
  CHECK(body["identity"]["methods"] == Json{"application_credential"});
  CHECK(body["identity"]["application_credential"] == Json{{"id", "c"}, {"secret", "s"}});
  CHECK_FALSE(body.contains("scope"));
}

TEST_CASE("identity: endpoints by region, interface and override, with their versions") {
  const auto read = [](const std::string& entry, const HttpResponse& response) {
    return openstack::readLogin(response, siteOf(entry), 0).login.endpoints;
  };
  const std::vector<std::vector<std::string>> two{{"compute", "A", "public", "https://a.test:8774/v2.1/"},
                                                  {"compute", "B", "public", "https://b.test:8774/v2.1"},
                                                  {"compute", "B", "internal", "https://b.inside:8774/v2.1"},
                                                  {"network", "B", "public", "https://b.test:9696/"},
                                                  {"network", "B", "internal", "https://b.inside:9696/v2.0"},
                                                  {"image", "B", "public", "https://b.test/image"},
                                                  {"image", "B", "internal", "https://b.inside/image/v2/"},
                                                  {"volumev3", "B", "public", "https://b.test:8776/v3/p1"},
                                                  {"volumev3", "B", "internal", "https://b.inside:8776/v3"}};
  auto all = read(entryWith(R"({"region":"B"})"), opened(two));
  CHECK(all["compute"] == "https://b.test:8774/v2.1");
  CHECK(all["network"] == "https://b.test:9696/v2.0");
  CHECK(all["image"] == "https://b.test/image/v2");
  CHECK(all["volume"] == "https://b.test:8776/v3/p1");
  all = read(entryWith(R"({"region":"B","interface":"internalURL"})"), opened(two));
  CHECK(all["compute"] == "https://b.inside:8774/v2.1");
  CHECK(all["network"] == "https://b.inside:9696/v2.0");
  CHECK(all["image"] == "https://b.inside/image/v2");
  CHECK(all["volume"] == "https://b.inside:8776/v3/p1");
  all = read(entryWith(R"({"region":"B","endpoint_overrides":{"compute":"https://c.test/compute/v2.1/",
                           "volume":"https://c.test/volume/v3"}})"),
             opened(two));
  CHECK(all["compute"] == "https://c.test/compute/v2.1");
  CHECK(all["volume"] == "https://c.test/volume/v3/p1");
  CHECK(all["network"] == "https://b.test:9696/v2.0");

  const auto refused = [&](const std::string& entry) {
    try {
      read(entry, opened(two));
    } catch (const Error& error) {
      return error.message();
    }
    return std::string();
  };
  CHECK(refused(entryWith(R"({"region":null})")).rfind("/catalog_entry/region: is missing", 0) == 0);
  CHECK(refused(entryWith(R"({"region":"C"})")).rfind("/catalog_entry/region: the cloud has compute, but", 0) == 0);
  all = read(entryWith(R"({"region":null})"), opened({{"compute", "X", "public", "https://x.test/v2.1"}}));
  CHECK(all.size() == 1);
}

TEST_CASE("identity: how long a token serves is told by Keystone's clock") {
  CHECK(openstack::readLogin(opened({}), siteOf(entryWith(R"({"region":null})")), 5).ttl_ms == 3'300'000);
  HttpResponse brief = opened({});
  Json body = Json::parse(brief.body);
  body["token"]["expires_at"] = "2026-11-23T00:04:00Z";
  brief.body = body.dump();
  CHECK(openstack::readLogin(brief, siteOf(entryWith(R"({"region":null})")), 5).ttl_ms == 120'000);
  body["token"].erase("expires_at");
  brief.body = body.dump();
  CHECK(openstack::readLogin(brief, siteOf(entryWith(R"({"region":null})")), 5).ttl_ms == 300'000);
}

TEST_CASE("identity: what is no answer of Keystone") {
  const auto refused = [](HttpResponse response) {
    try {
      openstack::readLogin(response, siteOf(kEntry), 0);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kUnknown;
  };
  HttpResponse bare = opened({});
  bare.headers.clear();
  CHECK(refused(bare) == Code::kUnavailable);
  HttpResponse page = opened({});
  page.body = "<html>";
  CHECK(refused(page) == Code::kUnavailable);
  HttpResponse homeless = opened({});
  homeless.body = R"({"token":{"catalog":[]}})";
  CHECK(refused(homeless) == Code::kPermissionDenied);
}

TEST_CASE("identity: one token serves all calls of the same credentials and entry, until its time is over") {
  Rig rig;
  Items one = items(1);
  rig.make(one);
  rig.driver.observe(rig.call(), one);
  CHECK(rig.cloud.logins == 1);
  CHECK(rig.http.requests.front().account == "alice.of.cloud");
  CHECK(rig.http.requests.back().account == "alice");
  CHECK(headerOf(rig.http.requests.back(), "X-Auth-Token").rfind("gAAAAAB-", 0) == 0);
  rig.pass(3'400'000);
  rig.driver.observe(rig.call(), one);
  CHECK(rig.cloud.logins == 2);

  const std::string bobs = R"({"application_credential_id":"cred-1",)"
                           R"("application_credential_secret":"secret-of-bob-9876543210"})";
  rig.driver.observe(rig.call(1, kEntry, bobs), one);
  CHECK(rig.cloud.logins == 3);
  CHECK(rig.http.requests.back().account == "bob");
}

TEST_CASE("identity: a refused token is replaced once, and the request sent again") {
  Rig rig;
  Items one = items(1);
  rig.make(one);
  rig.cloud.dropTokens();
  CHECK(rig.driver.observe(rig.call(), one).machines.at(0).found);
  CHECK(rig.cloud.logins == 2);
  rig.cloud.dropTokens();
  CHECK(rig.driver.destroy(rig.call(), one).items.at(0).pending == 1);  // the token went before a read

  rig.http.instead = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.url.find("/auth/tokens") != std::string::npos) return std::nullopt;
    return answer(401, R"({"error":{"code":401,"title":"Unauthorized","message":"no"}})");
  };
  const int before = rig.cloud.logins;
  const std::size_t sent = rig.http.requests.size();
  const Seen seen = rig.driver.observe(rig.call(), one);
  CHECK(seen.code == VCP_UNAUTHENTICATED);
  CHECK(rig.cloud.logins == before + 1);
  CHECK(rig.http.requests.size() == sent + 3);
}

TEST_CASE("identity: a change is sent again with a new token, and made once") {
  Rig rig;
  Items one = items(1);
  int refusals = 0;
  rig.http.instead = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "POST" || request.url.find("/ports") == std::string::npos || refusals++ > 0) {
      return std::nullopt;
    }
    return answer(401, R"({"error":{"code":401,"title":"Unauthorized","message":"no"}})");
  };
  CHECK(rig.make(one).done == 1);
  CHECK(refusals == 2);
  CHECK(rig.cloud.ports().size() == 1);
}

TEST_CASE("identity: Nova may still take a token that Glance does not: it is replaced once, too") {
  Rig rig;
  Items one = items(1);
  int refusals = 0;
  int wanted = 1;
  rig.http.instead = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    const bool boots = request.method == "POST" && request.url.ends_with("/servers");
    if (!boots || refusals >= wanted) return std::nullopt;
    ++refusals;
    return answer(400, R"({"badRequest":{"code":400,"message":"Not authorized for image 5a1c."}})");
  };
  SUBCASE("the new token is taken") {
    CHECK(rig.make(one).done == 1);
    CHECK(rig.cloud.logins == 2);
  }
  SUBCASE("the image is somebody else's") {
    wanted = 2;
    const auto made = rig.make(one);
    CHECK(made.error.code == VCP_INVALID_ARGUMENT);
    CHECK(std::string(made.error.message).find("Not authorized for image") != std::string::npos);
    CHECK(rig.cloud.logins == 2);
  }
  CHECK(refusals == wanted);
}

TEST_CASE("identity: a wrong password, and Keystone down, before a change") {
  Rig rig;
  const Answers wrong =
      rig.driver.create(rig.call(1, kEntry, R"({"user_name":"alice.of.cloud","password":"x"})"), kSpec, items(1));
  CHECK(wrong.items.at(0).error.code == VCP_UNAUTHENTICATED);
  CHECK(wrong.items.at(0).error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(std::string(wrong.items.at(0).error.message).find("POST identity /auth/tokens: ") == 0);
  rig.http.instead = [](const HttpRequest&) { return answer(503, "<html>"); };
  const Answers down = rig.driver.create(rig.call(), kSpec, items(1));
  CHECK(down.items.at(0).error.code == VCP_UNAVAILABLE);
  CHECK(down.items.at(0).error.outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE("identity: each service has its own microversion header, and the private CA goes with every request") {
  Rig rig(R"({"instance":"openstack","options":{"ca_file":"/etc/ssl/site.pem"}})");
  Items one = items(1);
  rig.make(one);
  OpenDisks disks(rig.driver);
  disks.observe(rig.call(), one);
  for (const HttpRequest& request : rig.http.requests) {
    CAPTURE(request.url);
    CHECK(request.ca_file == "/etc/ssl/site.pem");
    const std::string version = headerOf(request, "OpenStack-API-Version");
    const bool compute = request.url.find(":8774/") != std::string::npos;
    const bool volume = request.url.find(":8776/") != std::string::npos;
    CHECK(version == (compute ? "compute 2.19" : volume ? "volume 3.0" : ""));
  }
  Rig pem(R"({"instance":"openstack","options":{"ca_pem":"-----BEGIN CERTIFICATE-----\nAAAA\n"}})");
  pem.driver.observe(pem.call(), items(1));
  CHECK(pem.http.requests.front().ca_pem.rfind("-----BEGIN", 0) == 0);
}

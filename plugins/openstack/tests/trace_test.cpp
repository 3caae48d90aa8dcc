// SPDX-License-Identifier: Apache-2.0
// The requests of the driver and the answers of the fake, held against a recording of the real services of Zed. The
// recording is not in the repository; without it these tests say so.
#include <fstream>
#include <iostream>

#include "errors.h"
#include "identity.h"
#include "ports.h"
#include "rig.h"
#include "servers.h"
#include "volumes.h"

using namespace openstack_test;

namespace {

Json trace() {
  std::ifstream file(VCC_OPENSTACK_TRACE);
  if (!file) {
    std::cerr << "SKIP: openstack: " VCC_OPENSTACK_TRACE " (a recording of a real cloud) is not here\n";
    return nullptr;
  }
  return Json::parse(file);
}

/// Ids away, so that paths of the same kind are the same.
std::string shapeOfUrl(const std::string& url) {
  const std::size_t place = url.find("://") + 3;
  const std::string rest = url.substr(url.find(':', place));
  std::string out;
  std::size_t at = 0;
  while (at <= rest.size()) {
    const std::size_t end = std::min(rest.find('/', at), rest.size());
    const std::string part = rest.substr(at, end - at);
    const bool id = openstack::isUuid(part) || part == "alice";
    out += (id ? "ID" : part) + (end < rest.size() ? "/" : "");
    at = end + 1;
  }
  return out.substr(0, out.find('?'));
}

const Json* recorded(const Json& all, const std::string& method, const std::string& url, int status = 0) {
  for (const Json& one : all) {
    const bool fits = one.at("method") == method && shapeOfUrl(one.at("url").get<std::string>()) == shapeOfUrl(url);
    if (fits && (status == 0 || one.at("status") == status)) return &one;
  }
  return nullptr;
}

const char* kindOf(const Json& value) { return value.is_number() ? "number" : value.type_name(); }

/// Each member of `part` is one of `whole`, with a value of the same kind; of lists the first elements.
void isPartOf(const Json& part, const Json& whole, const std::string& where) {
  CAPTURE(where);
  if (part.is_null() || whole.is_null()) return;  // either may be unset
  REQUIRE(std::string(kindOf(part)) == kindOf(whole));
  if (part.is_object()) {
    for (const auto& [key, value] : part.items()) {
      const bool free = where.find("metadata") != std::string::npos || where.find("addresses") != std::string::npos;
      if (free && !whole.contains(key)) continue;
      INFO("member " << key);
      REQUIRE(whole.contains(key));
      isPartOf(value, whole[key], where + "/" + key);
    }
  }
  if (part.is_array() && !part.empty() && !whole.empty()) isPartOf(part[0], whole[0], where + "/0");
}

HttpResponse answerOf(const Json& one) {
  return answer(one.at("status").get<int>(), one.at("resp").is_null() ? "" : one.at("resp").dump());
}

/// A whole life on the fake, by the driver.
void live(Rig& rig) {
  rig.usual_entry = entryWith(R"({"domain_name":"Default"})");  // as the recording has it
  const OpenDisks disks(rig.driver);
  Items machine = items(1);
  machine[0].requested_address = "10.60.0.190";
  rig.make(machine);
  rig.pass(10'000);
  rig.driver.observe(rig.call(), machine);
  Items taken = items(2);
  taken[1].requested_address = "10.60.0.190";
  rig.driver.create(rig.call(), kSpec, {taken[1]});
  rig.driver.power(rig.call(), false, machine);
  rig.pass(5000);
  rig.driver.power(rig.call(), true, machine);
  rig.pass(5000);
  Items disk{items(3)[2]};
  learn(disk[0], disks.create(rig.call(), R"({"cloud_params":{"size":"2"}})", disk).items.at(2));
  rig.pass(5000);
  disks.attach(rig.call(), true, disk, machine);
  rig.pass(5000);
  disks.attach(rig.call(), false, disk, machine);
  rig.pass(5000);
  disks.destroy(rig.call(), disk);
  for (int step = 1; step < 6; ++step) {
    learn(machine[0], rig.driver.destroy(rig.call(step), machine).items.at(0));
    rig.pass(3000);
  }
  vcp_error_t error = vcp::plugin::detail::emptyError();
  rig.driver.ops().probe(rig.driver.instance(), rig.call(), &error);
}

}  // namespace

TEST_CASE("trace: every change of the driver is one that the real services took, with the same members") {
  const Json all = trace();
  if (all.is_null()) return;
  Rig rig;
  live(rig);
  CHECK(rig.cloud.objects().empty());
  int compared = 0;
  for (const HttpRequest& request : rig.http.requests) {
    if (request.method == "GET") continue;
    CAPTURE(request.method);
    CAPTURE(request.url);
    const Json* one = recorded(all, request.method, request.url);
    REQUIRE(one != nullptr);
    ++compared;
    if (request.body.empty()) {
      CHECK(one->at("req").is_null());
      continue;
    }
    Json body = Json::parse(request.body);
    // Members that Zed's API has and the recording happens to lack.
    if (body.contains("server")) body["server"].erase("description");
    if (body.contains("port")) body["port"].erase("description");
    if (body.contains("volume")) body["volume"].erase("description");
    if (body.contains("os-start") || body.contains("os-stop")) continue;
    isPartOf(body, one->at("req"), "");
  }
  CHECK(compared >= 10);
}

TEST_CASE("trace: the fake's answers have no member that the real ones lack, and the same statuses") {
  const Json all = trace();
  if (all.is_null()) return;
  Rig rig;
  int compared = 0;
  rig.http.instead = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    HttpResponse ours = rig.cloud.handle(request);
    const Json* one = recorded(all, request.method, request.url, ours.status);
    if (one == nullptr) return ours;
    CAPTURE(request.method);
    CAPTURE(request.url);
    ++compared;
    CHECK(ours.body.empty() == one->at("resp").is_null());
    if (!ours.body.empty()) isPartOf(Json::parse(ours.body), one->at("resp"), "");
    return ours;
  };
  live(rig);
  CHECK(compared >= 12);
}

TEST_CASE("trace: the real answers are understood") {
  const Json all = trace();
  if (all.is_null()) return;
  const openstack::Site site = openstack::parseSite(kEntry, openstack::parseSettings("{}"));
  HttpResponse login = answerOf(*recorded(all, "POST", "http://h:5000/v3/auth/tokens", 201));
  login.headers = {{"X-Subject-Token", "tok"}};
  const openstack::Opened opened = openstack::readLogin(login, site, 0);
  CHECK(opened.login.project == "cda97654bf1b43cdb6a115baef153fe2");
  CHECK(opened.login.endpoints.at("compute") == "http://127.0.0.1:8774/v2.1");
  CHECK(opened.login.endpoints.at("network") == "http://127.0.0.1:9696/v2.0");
  CHECK(opened.login.endpoints.at("image") == "http://127.0.0.1:9292/v2");
  CHECK(opened.login.endpoints.at("volume") == "http://127.0.0.1:8776/v3/cda97654bf1b43cdb6a115baef153fe2");
  CHECK(opened.ttl_ms == 3'300'000);

  const std::string id = "077566ad-a198-4deb-b124-130585b37e11";
  std::vector<State> states;
  for (const Json& one : all) {
    const Json& body = one.at("resp");
    if (one.at("method") != "GET" || !body.is_object() || !body.contains("server")) continue;
    const openstack::Server server = openstack::Server::of(body.at("server"));
    const Observation seen = openstack::observationOf(server);
    states.push_back(seen.state);
    if (seen.state == State::kRunning) CHECK(seen.address == "10.20.0.190");
    if (seen.state == State::kFailed) CHECK(seen.failure == Code::kDataLoss);
  }
  CHECK(states == std::vector<State>{State::kProvisioning, State::kRunning, State::kStopped, State::kFailed});
  const Json* port = recorded(all, "POST", "http://h:9696/v2.0/ports", 201);
  CHECK(openstack::Port::of(port->at("resp").at("port")).address == "10.20.0.190");
  const Json* volume = recorded(all, "POST", "http://h:8776/v3/" + id + "/volumes", 202);
  CHECK(openstack::Volume::of(volume->at("resp").at("volume")).status == "creating");
}

TEST_CASE("trace: the real refusals mean what they should") {
  const Json all = trace();
  if (all.is_null()) return;
  const struct {
    const char* method;
    const char* url;
    int status;
    Code code;
    const char* provider_code;
  } rows[] = {
      {"POST", "http://h:5000/v3/auth/tokens", 401, Code::kUnauthenticated, "Unauthorized"},
      {"POST", "http://h:9696/v2.0/ports", 409, Code::kAlreadyExists, "IpAddressAlreadyAllocated"},
      {"POST", "http://h:8774/v2.1/servers/00000000-0000-0000-0000-000000000000/action", 409, Code::kFailedPrecondition,
       "conflictingRequest"},
      {"DELETE", "http://h:8776/v3/00000000-0000-0000-0000-000000000000/volumes/00000000-0000-0000-0000-000000000000",
       400, Code::kFailedPrecondition, "badRequest"},
      {"GET", "http://h:8774/v2.1/servers/00000000-0000-0000-0000-000000000000", 404, Code::kNotFound, "itemNotFound"},
      {"POST", "http://h:8774/v2.1/servers", 403, Code::kResourceExhausted, "forbidden"},
      {"POST", "http://h:8774/v2.1/servers", 400, Code::kInvalidArgument, "badRequest"},
      {"GET", "http://h:8774/v2.1/servers", 401, Code::kUnauthenticated, "Unauthorized"}};
  for (const auto& row : rows) {
    CAPTURE(row.url);
    CAPTURE(row.status);
    const Json* one = recorded(all, row.method, row.url, row.status);
    REQUIRE(one != nullptr);
    const Error error = openstack::refusal(answerOf(*one), "x");
    CHECK(error.code() == row.code);
    CHECK(error.outcome() == Outcome::kNotApplied);
    CHECK(error.providerCode() == row.provider_code);
  }
}

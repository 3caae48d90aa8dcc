// SPDX-License-Identifier: Apache-2.0
// Machines that exist: watched, listed, switched and taken away.
#include "rig.h"

using namespace openstack_test;

namespace {

fake_openstack::Server& only(Rig& rig) { return rig.cloud.servers().begin()->second; }

void makeRunning(Rig& rig, Items& all) {
  REQUIRE(rig.make(all).done == 1);
  rig.pass(10'000);
}

/// Steps of destroy until it is done.
int removeAll(Rig& rig, Items& one) {
  for (int step = 1; step < 20; ++step) {
    const ItemAnswer answer = rig.driver.destroy(rig.call(step), one).items.at(one[0].index);
    learn(one[0], answer);
    CHECK(answer.errors == 0);
    if (answer.done == 1) return step;
    rig.pass(answer.pending_ms);
  }
  FAIL("not done");
  return 0;
}

}  // namespace

TEST_CASE("observe: states of a server") {
  const struct {
    const char* status;
    const char* task;
    State state;
  } rows[] = {{"BUILD", "scheduling", State::kProvisioning},
              {"ACTIVE", "", State::kRunning},
              {"ACTIVE", "powering-off", State::kStopping},
              {"SHUTOFF", "", State::kStopped},
              {"SHUTOFF", "powering-on", State::kProvisioning},
              {"SUSPENDED", "", State::kStopped},
              {"PAUSED", "", State::kStopped},
              {"SHELVED_OFFLOADED", "", State::kStopped},
              {"REBOOT", "rebooting", State::kRunning},
              {"ACTIVE", "deleting", State::kTerminating},
              {"SOFT_DELETED", "", State::kTerminating},
              {"ERROR", "", State::kFailed},
              {"UNKNOWN", "", State::kUnspecified}};
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.task);
    only(rig).status = row.status;
    only(rig).task = row.task;
    const Observation seen = rig.driver.observe(rig.call(), one).machines.at(0);
    CHECK(seen.found);
    CHECK(seen.state == row.state);
    if (row.state == State::kUnspecified) CHECK(seen.detail == row.status);
    CHECK(seen.name == one[0].name);
    CHECK(seen.cloud_id == one[0].cloud_id);
    CHECK_FALSE(seen.address.empty());
    REQUIRE(seen.resources.size() == 1);
    CHECK(seen.resources[0].id == rig.cloud.ports().begin()->first);
  }
  only(rig).status = "ERROR";
  const Observation broken = rig.driver.observe(rig.call(), one).machines.at(0);
  CHECK(broken.failure == Code::kDataLoss);
  only(rig).status = "DELETED";
  CHECK(rig.driver.observe(rig.call(), one).machines.at(0).state == State::kTerminating);  // its port is there
  rig.cloud.ports().clear();
  CHECK(rig.driver.observe(rig.call(), one).machines.at(0).state == State::kGone);
}

TEST_CASE("observe: parts without their server, and nothing at all") {
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  rig.cloud.servers().clear();
  Observation seen = rig.driver.observe(rig.call(), one).machines.at(0);
  CHECK(seen.state == State::kTerminating);
  CHECK(rig.driver.observe(rig.call(), items(1)).machines.at(0).state == State::kProvisioning);
  rig.cloud.ports().clear();
  CHECK_FALSE(rig.driver.observe(rig.call(), one).machines.at(0).found);
}

TEST_CASE("observe: a proxy's 404, a right or a page that is missing prove nothing") {
  for (const int status : {404, 403, 500}) {
    CAPTURE(status);
    Rig rig;
    rig.http.instead = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (request.url.find("/auth/") != std::string::npos) return std::nullopt;
      return answer(status, "<html>");
    };
    Items one = items(1);
    one[0].cloud_id = "gone";
    const Seen seen = rig.driver.observe(rig.call(), one);
    CHECK(seen.code != VCP_OK);
    CHECK(seen.machines.empty());
  }
}

TEST_CASE("observe: two hundred machines in two lists") {
  Rig rig;
  Items many = items(200);
  std::string project = "alice";
  for (Item& item : many) {
    fake_openstack::Port port;
    port.project = project;
    port.name = std::string(item.name) + "-port";
    port.description = "vcp:vcc1:openstack";
    port.address = "10.60.0.1";
    rig.cloud.ports()["p-" + std::string(item.name)] = port;
    fake_openstack::Server server;
    server.project = project;
    server.name = item.name;
    server.status = "ACTIVE";
    rig.cloud.servers()["s-" + std::string(item.name)] = server;
  }
  const auto answers = [&] {
    const std::size_t before = rig.http.requests.size();
    const Seen seen = rig.driver.observe(rig.call(), many);
    CHECK(seen.machines.size() == 200);
    for (const auto& [index, machine] : seen.machines) CHECK(machine.found);
    return rig.http.requests.size() - before;
  };
  answers();                   // logs in
  CHECK(answers() == 67 + 1);  // the fake shows three servers a page, Nova a thousand
  CHECK(rig.http.requests.back().url.find("description=vcp%3Avcc1%3Aopenstack&project_id=alice") != std::string::npos);

  // What is in neither list is asked for by itself.
  rig.cloud.servers().erase("s-" + std::string(many[7].name));
  rig.cloud.ports().erase("p-" + std::string(many[7].name));
  many[7].cloud_id = "s-gone";
  const Seen seen = rig.driver.observe(rig.call(), many);
  CHECK_FALSE(seen.machines.at(7).found);
  CHECK(rig.http.sent("GET", "/servers/s-gone").size() == 1);
}

TEST_CASE("destroy: the server first, then its port; nothing is left") {
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  const std::string id(one[0].cloud_id);
  const std::string port = one[0].resources.at(0).id;
  CHECK(removeAll(rig, one) <= 4);
  CHECK(rig.cloud.objects().empty());
  const auto servers = rig.http.sent("DELETE", "/v2.1/servers/" + id);
  const auto ports = rig.http.sent("DELETE", "/v2.0/ports/" + port);
  CHECK(servers.size() == 1);
  CHECK(ports.size() == 1);
  CHECK(one[0].resources.at(0).id.empty());
  CHECK(removeAll(rig, one) == 1);
}

TEST_CASE("destroy: a step asks for what it needs only") {
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  const auto step = [&] {
    const std::size_t before = rig.http.requests.size();
    learn(one[0], rig.driver.destroy(rig.call(), one).items.at(0));
    return rig.http.requests.size() - before;
  };
  CHECK(step() == 2);  // the servers of its name, and the deletion
  only(rig).task = "deleting";
  CHECK(step() == 1);
  rig.cloud.servers().clear();
  CHECK(step() == 4);  // neither by name nor by id; the ports of its name, and the deletion
  CHECK(rig.cloud.objects().empty());
}

TEST_CASE("destroy: twins, parts that only a name tells of, and a server that is deleted softly") {
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  fake_openstack::Server twin = only(rig);
  twin.status = "SOFT_DELETED";
  twin.made_ms += 5000;
  rig.cloud.servers()["zz-twin"] = twin;
  fake_openstack::Port other = rig.cloud.ports().begin()->second;
  other.server.clear();
  other.made_ms += 5000;
  rig.cloud.ports()["zz-port"] = other;
  const Observation seen = rig.driver.observe(rig.call(), items(1)).machines.at(0);
  CHECK(seen.cloud_id == one[0].cloud_id);  // the oldest
  CHECK(seen.resources.size() == 3);
  Items by_name = items(1);
  removeAll(rig, by_name);
  CHECK(rig.cloud.objects().empty());
  CHECK(rig.http.sent("POST", "/servers/zz-twin/action").at(0).body == R"({"forceDelete":null})");
}

TEST_CASE("destroy: a refusal is no success") {
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  rig.http.instead = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "DELETE") return std::nullopt;
    return answer(409, R"({"conflictingRequest":{"code":409,"message":"Instance is locked"}})");
  };
  CHECK(rig.driver.destroy(rig.call(), one).items.at(0).error.code == VCP_FAILED_PRECONDITION);
  rig.http.instead = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "DELETE") return std::nullopt;
    return answer(404, R"({"itemNotFound":{"code":404,"message":"gone meanwhile"}})");
  };
  CHECK(rig.driver.destroy(rig.call(), one).items.at(0).errors == 0);
}

TEST_CASE("list: own machines and lonely ports of this controller and instance") {
  Rig rig;
  rig.cloud.addForeign();
  Items two = items(2);
  Items first{two[0]};
  makeRunning(rig, first);
  rig.driver.create(rig.call(), kSpec, {two[1]});  // its port only
  fake_openstack::Server other = only(rig);
  other.metadata = {{"vcp:vcc", "vcc1"}, {"vcp:provider", "mdx2"}};
  rig.cloud.servers()["other"] = other;
  const Seen seen = rig.driver.list(rig.call());
  CHECK(seen.complete);
  REQUIRE(seen.machines.size() == 2);
  CHECK(seen.machines.at(0).name == two[0].name);
  CHECK(seen.machines.at(0).state == State::kRunning);
  CHECK(seen.machines.at(0).create_op == "op");
  CHECK(seen.machines.at(0).resources.size() == 1);
  CHECK(seen.machines.at(1).name == two[1].name);
  CHECK(seen.machines.at(1).state == State::kProvisioning);
  CHECK(seen.machines.at(1).resources.size() == 1);
}

TEST_CASE("power: on and off, from every state") {
  const struct {
    const char* status;
    const char* task;
    bool on;
    const char* action;  // empty: done without one; null: not yet
  } rows[] = {{"ACTIVE", "", false, "os-stop"},
              {"ACTIVE", "", true, ""},
              {"ACTIVE", "powering-off", false, ""},
              {"ACTIVE", "powering-off", true, nullptr},
              {"SHUTOFF", "", true, "os-start"},
              {"SHUTOFF", "", false, ""},
              {"SHUTOFF", "powering-on", true, ""},
              {"SUSPENDED", "", true, "resume"},
              {"SUSPENDED", "", false, ""},
              {"PAUSED", "", true, "unpause"},
              {"SHELVED_OFFLOADED", "", true, "unshelve"},
              {"ERROR", "", false, "os-stop"},
              {"BUILD", "spawning", false, nullptr}};
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.on);
    only(rig).status = row.status;
    only(rig).task = row.task;
    const std::size_t before = rig.http.sent("POST", "/action").size();
    const ItemAnswer answer = rig.driver.power(rig.call(), row.on, one).items.at(0);
    const auto actions = rig.http.sent("POST", "/action");
    if (row.action == nullptr) {
      CHECK(answer.pending == 1);
    } else {
      CHECK(answer.done == 1);
    }
    const bool acts = row.action != nullptr && row.action[0] != '\0';
    REQUIRE(actions.size() == before + (acts ? 1U : 0U));
    if (acts) CHECK(actions.back().body == Json{{row.action, nullptr}}.dump());
  }
  only(rig).task = "deleting";
  CHECK(rig.driver.power(rig.call(), true, one).items.at(0).error.code == VCP_NOT_FOUND);
  CHECK(rig.driver.power(rig.call(), true, items(1)).items.at(0).error.code == VCP_NOT_FOUND);
}

TEST_CASE("power: a state that changed meanwhile is said to be so") {
  Rig rig;
  Items one = items(1);
  makeRunning(rig, one);
  rig.http.instead = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method != "POST") return std::nullopt;
    return answer(409, R"({"conflictingRequest":{"code":409,"message":"Cannot 'stop' instance"}})");
  };
  const ItemAnswer late = rig.driver.power(rig.call(), false, one).items.at(0);
  CHECK(late.error.code == VCP_FAILED_PRECONDITION);
  CHECK(late.error.outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE("probe: what the entry names must exist") {
  const auto probe = [](const std::string& entry, const char* keys = kKeys) {
    Rig rig;
    vcp_error_t error = vcp::plugin::detail::emptyError();
    const std::int32_t code = rig.driver.ops().probe(rig.driver.instance(), rig.call(1, entry, keys), &error);
    CHECK(rig.changes() == 0);
    return std::pair(code, std::string(error.message).substr(0, std::string(error.message).find(": ")));
  };
  using Told = std::pair<std::int32_t, std::string>;
  CHECK(probe(kEntry).first == VCP_OK);
  CHECK(probe(kEntry, R"({"user_name":"alice.of.cloud","password":"x"})").first == VCP_UNAUTHENTICATED);
  const std::string none = "\"11111111-2222-3333-4444-555555555555\"";
  CHECK(probe(entryWith(R"({"network_uuid":)" + none + "}")) ==
        Told{VCP_INVALID_ARGUMENT, "/catalog_entry/network_uuid"});
  CHECK(probe(entryWith(R"({"openstack_subnet_uuid":)" + none + "}")) ==
        Told{VCP_INVALID_ARGUMENT, "/catalog_entry/openstack_subnet_uuid"});
  CHECK(probe(entryWith(R"({"security_group":)" + none + "}")) ==
        Told{VCP_INVALID_ARGUMENT, "/catalog_entry/security_group"});
  CHECK(probe(entryWith(R"({"openstack_default_image":)" + none + "}")) ==
        Told{VCP_INVALID_ARGUMENT, "/catalog_entry/openstack_default_image"});
  CHECK(probe(entryWith(R"({"openstack_default_image":"nope"})")) ==
        Told{VCP_INVALID_ARGUMENT, "/catalog_entry/openstack_default_image"});
  CHECK(probe(entryWith(R"({"openstack_default_flavor":"nope"})")) ==
        Told{VCP_INVALID_ARGUMENT, "/catalog_entry/openstack_default_flavor"});
}

TEST_CASE("probe: a quota that is used up is logged") {
  Rig rig;
  rig.cloud.pace().instances = 0;
  vcp_error_t error = vcp::plugin::detail::emptyError();
  CHECK(rig.driver.ops().probe(rig.driver.instance(), rig.call(), &error) == VCP_OK);
  CHECK(rig.host.logged("OPENSTACK_QUOTA_USED_UP") == 1);
}

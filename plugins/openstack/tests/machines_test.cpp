// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

using namespace openstack_test;

namespace {

const Json& serverOf(const Json& request) { return request.at("server"); }

/// The request that made the only server.
Json made(Rig& rig) { return rig.cloud.servers().begin()->second.request; }

}  // namespace

TEST_CASE("create: a port, then a server on it") {
  Rig rig;
  Items one = items(1);
  const Answers first = rig.driver.create(rig.call(), kSpec, one);
  CHECK(first.items.at(0).pending == 1);
  REQUIRE(first.items.at(0).resources.size() == 1);
  CHECK(first.items.at(0).resources[0].kind == "port");
  CHECK(first.items.at(0).resources[0].name == "vcp-0000000a-10000-port");
  CHECK_FALSE(first.items.at(0).address.empty());
  const Json port = Json::parse(rig.http.sent("POST", "/v2.0/ports").at(0).body).at("port");
  CHECK(port == Json{{"network_id", fake_openstack::kNetworkId},
                     {"name", "vcp-0000000a-10000-port"},
                     {"description", "vcp:vcc1:openstack"},
                     {"admin_state_up", true},
                     {"security_groups", {fake_openstack::kGroupId}}});

  learn(one[0], first.items.at(0));
  const Answers second = rig.driver.create(rig.call(2), kSpec, one);
  CHECK(second.items.at(0).done == 1);
  CHECK(rig.changes() == 2);
  const HttpRequest sent = rig.http.sent("POST", "/v2.1/servers").at(0);
  CHECK(headerOf(sent, "OpenStack-API-Version") == "compute 2.19");
  const Json server = serverOf(Json::parse(sent.body));
  CHECK(server == Json{{"name", "vcp-0000000a-10000"},
                       {"flavorRef", "auto"},
                       {"imageRef", fake_openstack::kImageId},
                       {"networks", {{{"port", rig.cloud.ports().begin()->first}}}},
                       {"user_data", "I2Nsb3VkLWNvbmZpZwo="},
                       {"description", "group-unit-1"},
                       {"metadata",
                        {{"project", "demo"},
                         {"vcp:vcc", "vcc1"},
                         {"vcp:provider", "openstack"},
                         {"vcp:op", "op"},
                         {"vcp:name", "vcp-0000000a-10000"},
                         {"vcp:title", "group-unit-1"}}}});

  learn(one[0], second.items.at(0));
  CHECK(rig.driver.create(rig.call(3), kSpec, one).items.at(0).done == 1);
  CHECK(rig.changes() == 2);
}

TEST_CASE("create: a fixed address, its subnet, and one that is in use") {
  Rig rig;
  Items two = items(2);
  two[0].requested_address = two[1].requested_address = "10.60.0.77";
  Items first{two[0]};
  CHECK(rig.make(first, kSpec,
                 entryWith(std::string(R"({"openstack_subnet_uuid":")") + fake_openstack::kSubnetId + "\"}"))
            .done == 1);
  CHECK(Json::parse(rig.http.sent("POST", "/ports").at(0).body).at("port").at("fixed_ips") ==
        Json{{{"subnet_id", fake_openstack::kSubnetId}, {"ip_address", "10.60.0.77"}}});
  const ItemAnswer taken = rig.driver.create(rig.call(), kSpec, {two[1]}).items.at(1);
  CHECK(taken.error.code == VCP_ALREADY_EXISTS);
  CHECK(taken.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(std::string(taken.error.provider_code) == "IpAddressAlreadyAllocated");
  two[1].requested_address = "192.0.2.1";
  CHECK(rig.driver.create(rig.call(), kSpec, {two[1]}).items.at(1).error.code == VCP_INVALID_ARGUMENT);
  CHECK(rig.cloud.ports().size() == 1);
}

TEST_CASE("create: a lost answer is found again, of the port and of the server") {
  for (const char* part : {"/ports", "/servers"}) {
    CAPTURE(part);
    Rig rig;
    Items one = items(1);
    one[0].requested_address = "10.60.0.78";
    int lost = 0;
    rig.http.loses = [&](const HttpRequest& request) {
      return request.method == "POST" && request.url.find(part) != std::string::npos && lost++ == 0;
    };
    const ItemAnswer doubt = rig.make(one);
    CHECK(doubt.error.outcome == VCP_OUTCOME_UNKNOWN);
    Items again = items(1);
    again[0].requested_address = "10.60.0.78";
    const Observation seen = rig.driver.observe(rig.call(), again).machines.at(0);
    CHECK(seen.found);
    CHECK(seen.state == State::kProvisioning);
    // The host sends again with the name alone.
    CHECK(rig.driver.create(rig.call(5), kSpec, again).items.at(0).errors == 0);
    CHECK(rig.driver.create(rig.call(6), kSpec, again).items.at(0).done == 1);
    CHECK(rig.cloud.ports().size() == 1);
    CHECK(rig.cloud.servers().size() == 1);
  }
}

TEST_CASE("create: an address that a port of our own holds already") {
  Rig rig;
  Items one = items(1);
  one[0].requested_address = "10.60.0.79";
  rig.driver.create(rig.call(), kSpec, one);
  const ItemAnswer again = rig.driver.create(rig.call(), kSpec, one).items.at(0);  // as if nobody had looked
  CHECK(again.pending == 1);
  REQUIRE(again.resources.size() == 1);
  CHECK(again.resources[0].id == rig.cloud.ports().begin()->first);
}

TEST_CASE("create: reads that lag make nothing twice; a port that is gone spoils the machine") {
  Rig rig;
  rig.cloud.pace().lag_ms = 60'000;
  Items one = items(1);
  CHECK(rig.make(one).done == 1);
  CHECK(rig.cloud.ports().size() == 1);

  Items other = items(2);
  other.erase(other.begin());
  learn(other[0], rig.driver.create(rig.call(), kSpec, other).items.at(1));
  for (auto it = rig.cloud.ports().begin(); it != rig.cloud.ports().end();) {
    it = it->second.server.empty() ? rig.cloud.ports().erase(it) : std::next(it);
  }
  const ItemAnswer spoilt = rig.driver.create(rig.call(2), kSpec, other).items.at(1);
  CHECK(spoilt.error.code == VCP_DATA_LOSS);
  CHECK(spoilt.error.outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE("create: quota at once, capacity later") {
  Rig rig;
  rig.cloud.pace().instances = 0;
  Items one = items(1);
  const ItemAnswer full = rig.make(one);
  CHECK(full.error.code == VCP_RESOURCE_EXHAUSTED);
  CHECK(full.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(std::string(full.error.message).find("raise the quota") != std::string::npos);

  rig.cloud.pace().instances = 10;
  Items huge = items(2);
  huge.erase(huge.begin());
  CHECK(rig.make(huge, specWith(R"({"flavor_name":"huge"})")).done == 1);
  rig.pass(10'000);
  const Observation seen = rig.driver.observe(rig.call(), huge).machines.at(1);
  CHECK(seen.state == State::kFailed);
  CHECK(seen.failure == Code::kResourceExhausted);
  CHECK(seen.provider_code == "500");
  CHECK(seen.detail.rfind("No valid host was found.", 0) == 0);
}

TEST_CASE("create: names of flavors, images, networks and groups that the cloud does not have") {
  const struct {
    std::string spec, entry, pointer;
  } rows[] = {{specWith(R"({"flavor_name":"nope"})"), kEntry, "/cloud_params/flavor_name"},
              {specWith(R"({"cloud_image":"nope"})"), kEntry, "/cloud_params/cloud_image"},
              {kSpec, entryWith(R"({"network_name":"nope"})"), "/catalog_entry/network_name"},
              {kSpec, entryWith(R"({"security_group":"nope"})"), "/catalog_entry/security_group"}};
  for (const auto& row : rows) {
    CAPTURE(row.pointer);
    Rig rig;
    Items one = items(1);
    const ItemAnswer refused = rig.make(one, row.spec, row.entry);
    CHECK(refused.error.code == VCP_INVALID_ARGUMENT);
    CHECK(refused.error.outcome == VCP_OUTCOME_NOT_APPLIED);
    CHECK(std::string(refused.error.message).rfind(row.pointer + ": ", 0) == 0);
  }
}

TEST_CASE("create: of objects of one name, the project's own") {
  Rig rig;
  std::string list = R"({"networks":[{"id":"n1","project_id":"x"},{"id":"n2","project_id":"alice"}]})";
  rig.http.instead = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.url.find("/networks?name=") == std::string::npos) return std::nullopt;
    return answer(200, list);
  };
  rig.driver.create(rig.call(), kSpec, items(1));
  CHECK(Json::parse(rig.http.sent("POST", "/ports").at(0).body).at("port").at("network_id") == "n2");
  rig.pass(31'000);
  list = R"({"networks":[{"id":"n1","project_id":"x"},{"id":"n2","project_id":"y"}]})";
  const ItemAnswer several = rig.driver.create(rig.call(), kSpec, items(1)).items.at(0);
  CHECK(several.error.code == VCP_INVALID_ARGUMENT);
  CHECK(std::string(several.error.message).find("several of network 'priv'; give the id") != std::string::npos);
}

TEST_CASE("create: the newest image of a name; flavors by name, else by id") {
  Rig rig;
  rig.http.instead = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.url.find("/images?") == std::string::npos) return std::nullopt;
    CHECK(request.url == "https://cloud.test:9292/v2/images?name=CC-Ubuntu20.04&status=active");
    return answer(200, Json{{"images",
                             {{{"id", "old"}, {"created_at", "2025-01-01T00:00:00Z"}},
                              {{"id", fake_openstack::kImageId}, {"created_at", "2026-01-01T00:00:00Z"}},
                              {{"id", "older"}, {"created_at", "2024-01-01T00:00:00Z"}}}}}
                           .dump());
  };
  Items one = items(1);
  CHECK(rig.make(one, specWith(R"({"cloud_image":"CC-Ubuntu20.04","flavor_name":"f-tiny"})")).done == 1);
  CHECK(serverOf(made(rig)).at("flavorRef") == "f-tiny");
  CHECK(serverOf(made(rig)).at("imageRef") == fake_openstack::kImageId);
}

TEST_CASE("create: a boot volume, and the microversion that its type needs") {
  const auto disk = [](const std::string& spec, const std::string& entry, std::string* version) {
    Rig rig;
    Items one = items(1);
    CHECK(rig.make(one, spec, entry).done == 1);
    *version = headerOf(rig.http.sent("POST", "/v2.1/servers").at(0), "OpenStack-API-Version");
    const Json server = serverOf(made(rig));
    CHECK(server.contains("imageRef") != server.contains("block_device_mapping_v2"));
    return server.value("block_device_mapping_v2", Json(nullptr));
  };
  std::string version;
  CHECK(disk(specWith(R"({"volume_size":"40","volume_type":"project-volume"})"), kEntry, &version) ==
        Json{{{"boot_index", 0},
              {"uuid", fake_openstack::kImageId},
              {"source_type", "image"},
              {"destination_type", "volume"},
              {"volume_size", 40},
              {"volume_type", "project-volume"},
              {"delete_on_termination", true}}});
  CHECK(version == "compute 2.67");
  CHECK(disk(specWith(R"({"volume_size":"100"})"), kEntry, &version)[0].at("volume_size") == 100);
  CHECK(version == "compute 2.19");
  CHECK(
      disk(specWith(R"({"volume_size":"100"})"), entryWith(R"({"openstack_boot_from":"image"})"), &version).is_null());
  const std::string site =
      entryWith(R"({"openstack_boot_from":"volume","openstack_volume_size":"30","openstack_volume_type":"ssd"})");
  CHECK(disk(kSpec, site, &version)[0].at("volume_size") == 30);
  CHECK(disk(kSpec, site, &version)[0].at("volume_type") == "ssd");
}

TEST_CASE("create: what a site adds") {
  Rig rig;
  Items one = items(1);
  const std::string entry = entryWith(
      R"({"openstack_availability_zone":"zone-b","openstack_config_drive":"true",)"
      R"("openstack_scheduler_hints":{"group":"g1"},"openstack_user_data_template":"<{{user}} {{user_data}}>",)"
      R"("openstack_server_body":{"key_name":"ops","metadata":{"rack":"7"}}})");
  const std::string spec = specWith(R"({"reservation":"99999999-8888-7777-6666-555555555555"})");
  REQUIRE(rig.make(one, spec, entry).done == 1);
  const Json request = made(rig);
  CHECK(request.at("os:scheduler_hints") ==
        Json{{"group", "g1"}, {"reservation", "99999999-8888-7777-6666-555555555555"}});
  CHECK(serverOf(request).at("availability_zone") == "zone-b");
  CHECK(serverOf(request).at("config_drive") == true);
  CHECK(serverOf(request).at("key_name") == "ops");
  CHECK(serverOf(request).at("metadata").at("rack") == "7");
  CHECK(serverOf(request).at("metadata").at("vcp:vcc") == "vcc1");
  CHECK(serverOf(request).at("user_data") == "PHVidW50dSAjY2xvdWQtY29uZmlnCj4=");
}

TEST_CASE("create: user data that Nova would refuse") {
  Rig rig;
  Items one = items(1);
  const Json spec = with(kSpec, Json{{"access", {{"user_data", std::string(50'000, 'x')}}}}.dump());
  const ItemAnswer refused = rig.make(one, spec.dump());
  CHECK(refused.error.code == VCP_INVALID_ARGUMENT);
  CHECK(std::string(refused.error.message).rfind("/access/user_data: ", 0) == 0);
}

TEST_CASE("create: twenty machines cost three requests each, and the names are looked up once") {
  Rig rig;
  Items many = items(20);
  CHECK(rig.make(many).done == 1);
  CHECK(rig.cloud.logins == 1);
  CHECK(rig.http.sent("GET", "/flavors").size() == 1);
  CHECK(rig.http.sent("GET", "/images").size() == 1);
  CHECK(rig.http.sent("GET", "/networks").size() == 1);
  CHECK(rig.http.sent("GET", "/security-groups").size() == 1);
  CHECK(rig.http.requests.size() == 1 + 4 + 20 * 3);  // login, names, and of each: port, a look, server
}

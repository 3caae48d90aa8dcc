// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

using namespace openstack_test;

namespace {

constexpr char kDisk[] =
    R"({"provider":"openstack","cloud_params":{"size":"8","type":"fast","cloud_image":"default","tags":{"a":"b"}}})";

/// A volume that is ready, and a machine that runs.
struct Pair {
  Rig rig;
  OpenDisks disks{rig.driver};
  Items machine = items(1);
  Items disk = items(2);

  Pair() {
    disk.erase(disk.begin());
    disk[0].index = 0;
    rig.make(machine);
    learn(disk[0], disks.create(rig.call(), kDisk, disk).items.at(0));
    rig.pass(10'000);
  }
  fake_openstack::Volume& volume() { return rig.cloud.volumes().begin()->second; }
};

}  // namespace

TEST_CASE("disks: made with name, size, type, zone and marks") {
  Rig rig;
  const OpenDisks disks(rig.driver);
  Items one = items(1);
  const std::string entry = entryWith(R"({"openstack_volume_availability_zone":"nova"})");
  const ItemAnswer made = disks.create(rig.call(1, entry), kDisk, one).items.at(0);
  CHECK(made.done == 1);
  CHECK(made.cloud_id == rig.cloud.volumes().begin()->first);
  const HttpRequest sent = rig.http.requests.back();
  CHECK(sent.url == "https://cloud.test:8776/v3/alice/volumes");
  const Json volume = Json::parse(sent.body).at("volume");
  CHECK(volume.at("name") == "vcp-0000000a-10000");
  CHECK(volume.at("size") == 8);
  CHECK(volume.at("volume_type") == "fast");
  CHECK(volume.at("availability_zone") == "nova");
  CHECK(volume.at("metadata").at("vcp:vcc") == "vcc1");
  CHECK(volume.at("metadata").at("a") == "b");
  CHECK_FALSE(volume.contains("imageRef"));
  const DiskObservation fresh = disks.observe(rig.call(), one).disks.at(0);
  CHECK(fresh.state == DiskState::kCreating);
  CHECK(fresh.size_gib == 8);

  // The host, in doubt, sends again with the name alone.
  const ItemAnswer again = disks.create(rig.call(2), kDisk, one).items.at(0);
  CHECK(again.done == 1);
  CHECK(again.cloud_id == made.cloud_id);
  CHECK(rig.cloud.volumes().size() == 1);

  rig.cloud.pace().volumes = 1;
  Items other = items(2);
  CHECK(disks.create(rig.call(), kDisk, {other[1]}).items.at(1).error.code == VCP_RESOURCE_EXHAUSTED);
}

TEST_CASE("disks: from an image") {
  Rig rig;
  const OpenDisks disks(rig.driver);
  disks.create(rig.call(), with(kDisk, R"({"cloud_params":{"cloud_image":"ubuntu"}})").dump(), items(1));
  CHECK(Json::parse(rig.http.requests.back().body).at("volume").at("imageRef") == fake_openstack::kImageId);
}

TEST_CASE("disks: states") {
  const struct {
    const char* status;
    DiskState state;
  } rows[] = {{"creating", DiskState::kCreating},      {"downloading", DiskState::kCreating},
              {"available", DiskState::kAvailable},    {"reserved", DiskState::kAttaching},
              {"attaching", DiskState::kAttaching},    {"in-use", DiskState::kAttached},
              {"detaching", DiskState::kDetaching},    {"deleting", DiskState::kDeleting},
              {"error", DiskState::kFailed},           {"error_deleting", DiskState::kFailed},
              {"maintenance", DiskState::kUnspecified}};
  Pair pair;
  for (const auto& row : rows) {
    CAPTURE(row.status);
    pair.volume().status = row.status;
    const DiskObservation seen = pair.disks.observe(pair.rig.call(), pair.disk).disks.at(0);
    CHECK(seen.state == row.state);
    if (row.state == DiskState::kUnspecified) CHECK(seen.detail == row.status);
  }
  pair.volume().status = "error";
  CHECK(pair.disks.observe(pair.rig.call(), pair.disk).disks.at(0).failure == Code::kResourceExhausted);
}

TEST_CASE("disks: attached and detached through Nova") {
  Pair pair;
  CHECK(pair.disks.attach(pair.rig.call(), true, pair.disk, pair.machine).items.at(0).done == 1);
  const HttpRequest sent = pair.rig.http.requests.back();
  CHECK(sent.url ==
        "https://cloud.test:8774/v2.1/servers/" + std::string(pair.machine[0].cloud_id) + "/os-volume_attachments");
  CHECK(sent.body == Json{{"volumeAttachment", {{"volumeId", pair.disk[0].cloud_id}}}}.dump());
  pair.rig.pass(5000);
  const DiskObservation held = pair.disks.observe(pair.rig.call(), pair.disk).disks.at(0);
  CHECK(held.state == DiskState::kAttached);
  CHECK(held.machine_id == pair.machine[0].cloud_id);
  CHECK(pair.disks.destroy(pair.rig.call(), pair.disk).items.at(0).error.code == VCP_FAILED_PRECONDITION);

  CHECK(pair.disks.attach(pair.rig.call(), false, pair.disk, pair.machine).items.at(0).done == 1);
  CHECK(pair.rig.http.requests.back().method == "DELETE");
  CHECK(pair.disks.destroy(pair.rig.call(), pair.disk).items.at(0).error.code == VCP_FAILED_PRECONDITION);
  pair.rig.pass(5000);
  CHECK(pair.disks.attach(pair.rig.call(), false, pair.disk, pair.machine).items.at(0).done == 1);
  CHECK(pair.disks.destroy(pair.rig.call(), pair.disk).items.at(0).done == 1);
  pair.rig.pass(5000);
  CHECK(pair.rig.cloud.volumes().empty());
  CHECK(pair.disks.destroy(pair.rig.call(), pair.disk).items.at(0).done == 1);
  CHECK_FALSE(pair.disks.observe(pair.rig.call(), pair.disk).disks.at(0).found);
}

TEST_CASE("disks: what cannot be attached yet, or not at all") {
  Pair pair;
  const auto code = [&] {
    return pair.disks.attach(pair.rig.call(), true, pair.disk, pair.machine).items.at(0).error.code;
  };
  pair.rig.cloud.servers().begin()->second.status = "BUILD";
  CHECK(code() == VCP_FAILED_PRECONDITION);
  pair.rig.cloud.servers().begin()->second.status = "ACTIVE";
  pair.volume().status = "creating";
  CHECK(code() == VCP_FAILED_PRECONDITION);
  pair.volume().status = "in-use";
  pair.volume().server = "another";
  CHECK(code() == VCP_FAILED_PRECONDITION);
  CHECK(pair.disks.attach(pair.rig.call(), false, pair.disk, pair.machine).items.at(0).done == 1);  // not on this one
  CHECK(pair.volume().server == "another");
  pair.rig.cloud.servers().clear();
  CHECK(code() == VCP_NOT_FOUND);
  pair.rig.cloud.volumes().clear();
  CHECK(code() == VCP_NOT_FOUND);
}

TEST_CASE("disks: one of the user's own is known by its id alone") {
  Pair pair;
  pair.disk[0].name = {};
  CHECK(pair.disks.attach(pair.rig.call(), true, pair.disk, pair.machine).items.at(0).done == 1);
  CHECK(pair.rig.http.sent("GET", "/volumes/detail").empty());
}

TEST_CASE("disks: twins go one after the other") {
  Pair pair;
  fake_openstack::Volume twin = pair.volume();
  twin.made_ms += 1000;
  pair.rig.cloud.volumes()["zz-twin"] = twin;
  const DiskObservation seen = pair.disks.observe(pair.rig.call(), pair.disk).disks.at(0);
  REQUIRE(seen.resources.size() == 1);
  CHECK(seen.resources[0].id == "zz-twin");
  CHECK(pair.disks.destroy(pair.rig.call(), pair.disk).items.at(0).pending == 1);
  pair.rig.pass(5000);
  CHECK(pair.disks.destroy(pair.rig.call(), pair.disk).items.at(0).done == 1);
  pair.rig.pass(5000);
  CHECK(pair.rig.cloud.volumes().empty());
}

TEST_CASE("disks: a cloud without Cinder says so") {
  Pair pair;
  Rig rig;
  rig.http.instead = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.url.find("/auth/") == std::string::npos) return std::nullopt;
    HttpResponse login = rig.cloud.handle(request);
    Json body = Json::parse(login.body);
    body["token"]["catalog"].erase(4);
    login.body = body.dump();
    return login;
  };
  const ItemAnswer answer = OpenDisks(rig.driver).create(rig.call(), kDisk, items(1)).items.at(0);
  CHECK(answer.error.code == VCP_FAILED_PRECONDITION);
  CHECK(answer.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(std::string(answer.error.message).find("endpoint_overrides") != std::string::npos);
}

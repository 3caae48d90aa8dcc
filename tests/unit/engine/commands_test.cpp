// SPDX-License-Identifier: Apache-2.0
#include "engine/admission.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

Code addUnit(EngineRig& rig, const std::string& vcid, const std::string& name, int nodes,
             const std::string& params = "") {
  return rig.commands->addUnit(rig.caller, vcid, name, unitCci(name, nodes, params)).code();
}

Caller somebody(const std::string& user) { return {.principal = {.user = user, .token_head = "s.other"}}; }

}  // namespace

TEST_CASE("a new UnitGroup is there at once, numbered and owned") {
  EngineRig rig;
  const std::string first = rig.newVc();
  const std::string second = rig.newVc();
  rig.store->read([&](const ReadTx& tx) {
    CHECK(tx.vcs().find(first)->vcno == 1);
    CHECK(tx.vcs().find(second)->vcno == 2);
    CHECK(tx.vcs().find(first)->owner == "nobody");
    CHECK(tx.vcs().find(first)->name == "g");
  });
}

TEST_CASE("what is wrong with a request is said before anything is written") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  CHECK(rig.commands->createVc(rig.caller, "%%%").status().code() == Code::kInvalidArgument);
  CHECK(rig.commands->addUnit(rig.caller, vcid, "web", "%%%").code() == Code::kInvalidArgument);
  CHECK(rig.commands->addUnit(rig.caller, vcid, "other", unitCci("web", 1)).code() == Code::kInvalidArgument);
  CHECK(rig.commands->addUnit(rig.caller, vcid, "a b", unitCci("a b", 1)).code() == Code::kInvalidArgument);
  CHECK(addUnit(rig, "ffffffffffffffffffffffffffffffff", "web", 1) == Code::kNotFound);
  CHECK(addUnit(rig, vcid, "web", 1, "        ip_address_list: ['10.9.0.1']\n") == Code::kInvalidArgument);  // range
  CHECK(addUnit(rig, vcid, "web", 1, "        ip_address_list: ['10.0.0.0']\n") == Code::kInvalidArgument);  // network
  CHECK(addUnit(rig, vcid, "web", 2, "        ip_address_list: ['10.0.0.1', '10.0.0.1']\n") == Code::kInvalidArgument);
  CHECK(rig.nodes().empty());
  REQUIRE(addUnit(rig, vcid, "web", 1) == Code::kOk);
  CHECK(addUnit(rig, vcid, "web", 1) == Code::kAlreadyExists);
  CHECK(rig.nodes().size() == 1);
}

TEST_CASE("a provider or catalog entry that does not exist is named") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  std::string cci = *base64Decode(unitCci("web", 1));
  cci.replace(cci.find("cloud_provider: fake"), 20, "cloud_provider: none");
  const Status unknown = rig.commands->addUnit(rig.caller, vcid, "web", base64Encode(cci));
  CHECK(unknown.code() == Code::kInvalidArgument);
  CHECK(unknown.message().find("none") != std::string::npos);
  cci = *base64Decode(unitCci("web", 1));
  cci.replace(cci.find("private_network: default"), 24, "private_network: nowhere");
  const Status missing = rig.commands->addUnit(rig.caller, vcid, "web", base64Encode(cci));
  CHECK(missing.code() == Code::kInvalidArgument);
  CHECK(missing.message().find("nowhere") != std::string::npos);
}

TEST_CASE("an address belongs to one node, until that node is gone") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(addUnit(rig, vcid, "a", 1, "        ip_address_list: ['10.0.0.9']\n") == Code::kOk);
  CHECK(addUnit(rig, vcid, "b", 1, "        ip_address_list: ['10.0.0.9']\n") == Code::kAlreadyExists);
  CHECK(rig.commands->addNodes(rig.caller, vcid, "a", {.addresses = {"10.0.0.9"}}).code() == Code::kAlreadyExists);
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  REQUIRE(rig.commands->deleteUnit(rig.caller, vcid, "a", true).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().empty(); }));
  CHECK(addUnit(rig, vcid, "b", 1, "        ip_address_list: ['10.0.0.9']\n") == Code::kOk);
}

TEST_CASE("other people's UnitGroups are refused for every verb, except to a privileged caller") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(addUnit(rig, vcid, "web", 1) == Code::kOk);
  Caller other = somebody("else");
  const std::string node = rig.nodes().front().node_id;
  CHECK(rig.commands->addUnit(other, vcid, "two", unitCci("two", 1)).code() == Code::kPermissionDenied);
  CHECK(rig.commands->addNodes(other, vcid, "web", {.count = 1}).code() == Code::kPermissionDenied);
  CHECK(rig.commands->deleteNode(other, vcid, "web", node).code() == Code::kPermissionDenied);
  CHECK(rig.commands->deleteUnit(other, vcid, "web", true).code() == Code::kPermissionDenied);
  CHECK(rig.commands->deleteVc(other, vcid, true).code() == Code::kPermissionDenied);
  CHECK(rig.commands->renameVc(other, vcid, "").code() == Code::kPermissionDenied);
  other.privileged = true;
  CHECK(rig.commands->addNodes(other, vcid, "web", {.count = 1}).ok());
  CHECK(rig.commands->deleteVc(other, vcid, true).ok());
}

TEST_CASE("force \"false\" spares what is not empty") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(addUnit(rig, vcid, "web", 1) == Code::kOk);
  CHECK(rig.commands->deleteUnit(rig.caller, vcid, "web", false).code() == Code::kFailedPrecondition);
  CHECK(rig.commands->deleteVc(rig.caller, vcid, false).code() == Code::kFailedPrecondition);
  CHECK(rig.count(State::kBooting) == 1);
  REQUIRE(rig.commands->deleteNode(rig.caller, vcid, "web", rig.nodes().front().node_id).ok());
  REQUIRE(rig.runUntil([&] { return rig.nodes().empty(); }));
  CHECK(rig.commands->deleteUnit(rig.caller, vcid, "web", false).ok());
  CHECK(rig.commands->deleteVc(rig.caller, vcid, false).ok());
  CHECK_FALSE(rig.hasVc(vcid));
}

TEST_CASE("deleting twice is harmless, adding to what is being deleted is not possible") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  REQUIRE(addUnit(rig, vcid, "web", 1) == Code::kOk);
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  const std::string node = rig.nodes().front().node_id;
  CHECK(rig.commands->deleteNode(rig.caller, vcid, "web", node).ok());
  CHECK(rig.commands->deleteNode(rig.caller, vcid, "web", node).ok());
  CHECK(rig.commands->deleteUnit(rig.caller, vcid, "web", true).ok());
  CHECK(rig.commands->addNodes(rig.caller, vcid, "web", {.count = 1}).code() == Code::kFailedPrecondition);
  CHECK(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  CHECK(addUnit(rig, vcid, "two", 1) == Code::kFailedPrecondition);
}

TEST_CASE("limits hold before the 202") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  CHECK(addUnit(rig, vcid, "web", 1001) != Code::kOk);
  REQUIRE(addUnit(rig, vcid, "web", 999) == Code::kOk);
  CHECK(rig.commands->addNodes(rig.caller, vcid, "web", {.count = 2}).code() == Code::kResourceExhausted);
  CHECK(rig.commands->addNodes(rig.caller, vcid, "web", {.count = 0}).code() == Code::kInvalidArgument);
  REQUIRE(addUnit(rig, vcid, "two", 1000) == Code::kOk);
  CHECK(addUnit(rig, vcid, "three", 2) == Code::kResourceExhausted);  // of the user
  for (int i = 1; i < 200; ++i) rig.newVc();
  CHECK(rig.commands->createVc(rig.caller, base64Encode("- vc:\n    type: compute\n    name: x\n")).status().code() ==
        Code::kResourceExhausted);
}

TEST_CASE("units and scopes have limits, too; who is given a UnitGroup needs room for all of it") {
  EngineRig rig;
  rig.driver->facts.secret_keys = {"key"};
  rig.limits.units_per_user = 3;
  rig.limits.scopes_per_user = 2;
  rig.limits.scopes_per_unit = 1;
  rig.restart();
  const std::string vcid = rig.newVc();
  REQUIRE(addUnit(rig, vcid, "a", 1, "        key: one\n") == Code::kOk);
  REQUIRE(addUnit(rig, vcid, "b", 1, "        key: two\n") == Code::kOk);
  CHECK(addUnit(rig, vcid, "c", 1, "        key: three\n") == Code::kResourceExhausted);
  REQUIRE(addUnit(rig, vcid, "c", 1, "        key: one\n") == Code::kOk);
  CHECK(addUnit(rig, vcid, "d", 1, "        key: one\n") == Code::kResourceExhausted);

  REQUIRE(rig.store->transact([](Tx& tx) { return tx.users().put({.name = "anna"}); }).ok());
  rig.limits.nodes_per_user = 2;
  rig.restart();
  CHECK(rig.commands->changeOwner(rig.caller, vcid, "anna").code() == Code::kResourceExhausted);
  rig.limits.nodes_per_user = 3;
  rig.limits.units_per_user = 2;
  rig.restart();
  CHECK(rig.commands->changeOwner(rig.caller, vcid, "anna").code() == Code::kResourceExhausted);
  rig.limits.units_per_user = 3;
  rig.limits.nodes_total = 3;  // it is there already
  rig.restart();
  CHECK(rig.commands->changeOwner(rig.caller, vcid, "anna").ok());

  rig.limits = {};
  rig.limits.units_total = 3;
  rig.restart();
  CHECK(addUnit(rig, rig.newVc(), "a", 1, "        key: one\n") == Code::kResourceExhausted);
  rig.limits = {};
  rig.limits.scopes_total = 2;
  rig.restart();
  CHECK(addUnit(rig, rig.newVc(), "a", 1, "        key: four\n") == Code::kResourceExhausted);
  CHECK(addUnit(rig, rig.newVc(), "a", 1, "        key: two\n") == Code::kOk);
}

TEST_CASE("tokens expire while the engine runs") {
  EngineRig rig;
  const auto tokens = [&] {
    std::size_t count = 0;
    rig.store->read([&](const ReadTx& tx) { count = tx.tokens().size(); });
    return count;
  };
  const std::int64_t end = rig.clock.wallMs() + 3900000;  // between two rounds
  REQUIRE(rig.store->transact([&](Tx& tx) { return tx.tokens().put({.hash = "h", .expires_at = end}); }).ok());
  REQUIRE(rig.runUntil([&] { return rig.clock.wallMs() > end - 5000; }, 4000000));
  CHECK(tokens() == 1);
  REQUIRE(rig.runUntil([&] { return tokens() == 0; }, 700000));
}

TEST_CASE("storage and compute do not mix, and a driver without disks says so") {
  EngineRig rig;
  const std::string vcid = rig.newVc();
  std::string cci = *base64Decode(unitCci("web", 1));
  cci.replace(cci.find("num_nodes: 1"), 12, "num_disks: 1");
  cci.erase(cci.find("    image:"), cci.find("    cloud_provider") - cci.find("    image:"));
  const Status refused = rig.commands->addUnit(rig.caller, vcid, "web", base64Encode(cci));
  CHECK(refused.code() == Code::kInvalidArgument);
  CHECK(refused.message().find("disks") != std::string::npos);
}

TEST_CASE("existing servers stay inside what the administrator allows") {
  EngineRig rig("cci_version: '1.0'\nfake:\n  default:\n    allowed_hosts: ['192.168.5.0/24', '10.1.1.1']\n");
  rig.driver->facts.existence = Existence::kAsserted;
  const std::string vcid = rig.newVc();
  const auto servers = [&](const std::string& list) {
    return addUnit(rig, vcid, "web", 1, "        ip_address_list: " + list + "\n");
  };
  CHECK(servers("[]") == Code::kInvalidArgument);
  CHECK(servers("['10.1.1.2']") == Code::kInvalidArgument);
  CHECK(servers("['169.254.169.254']") == Code::kInvalidArgument);
  CHECK(servers("['224.0.0.1']") == Code::kInvalidArgument);
  CHECK(servers("['0.0.0.0']") == Code::kInvalidArgument);
  CHECK(servers("['192.168.5.7', '10.1.1.1']") == Code::kOk);
}

TEST_CASE("folders of an existing server are mounted only where allowed") {
  DriverInfo existing;
  existing.existence = Existence::kAsserted;
  const std::vector<std::string> own;
  CatalogEntry entry;
  entry.host_mount_prefix = "/data/vcp";
  const AdmissionContext context{existing, entry, false, own};
  CHECK(admitVolumes(context, {"/sys/fs/cgroup:/sys/fs/cgroup:ro", "/var/lib/docker", "/data/vcp/x:/x", "named:/n"})
            .ok());
  CHECK(admitVolumes(context, {"/etc:/etc"}).code() == Code::kInvalidArgument);
  CHECK(admitVolumes(context, {"/:/host"}).code() == Code::kInvalidArgument);
  CHECK(admitVolumes(context, {"/data/vcp/../../etc:/x"}).code() == Code::kInvalidArgument);
  CHECK(admitVolumes(context, {"/data/vcpx:/x"}).code() == Code::kInvalidArgument);
  CHECK(admitVolumes(context, {"/sys/fs/cgroup/..:/x"}).code() == Code::kInvalidArgument);
  DriverInfo cloud;
  CHECK(admitVolumes({cloud, entry, false, own}, {"/etc:/etc"}).ok());
  entry.allow_host_mounts = true;
  CHECK(admitVolumes({existing, entry, false, own}, {"/etc:/etc"}).ok());
}

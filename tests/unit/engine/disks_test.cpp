// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "support/disk_cloud.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

/// A rig whose cloud has disks, with a UnitGroup of disks and one of machines.
struct DiskRig : EngineRig {
  std::shared_ptr<DiskCloud> clouds = std::make_shared<DiskCloud>();
  std::string storage;
  std::string compute;

  explicit DiskRig(Idempotency idempotency = Idempotency::kToken) {
    clouds->facts.idempotency = idempotency;
    driver = clouds;
    registry.replace(clouds);
    storage = newStorageVc();
    compute = newVc();
  }

  std::string newStorageVc() {
    auto vcid =
        commands->createVc(caller, base64Encode("- vc:\n    type: storage\n    name: d\n    description: \"d\"\n"));
    REQUIRE_MESSAGE(vcid.ok(), vcid.status().toString());
    return *vcid;
  }

  Status addDisks(const std::string& vcid, const std::string& name, int count, const std::string& params = "") {
    return commands->addUnit(
        caller, vcid, name,
        base64Encode(fmt::format("- unit:\n    name: {}\n    num_disks: {}\n    cloud_provider: fake\n"
                                 "    cloud_params:\n        cci_version: \"1.0\"\n{}",
                                 name, count, params)));
  }

  Status addMachine(const std::string& name, const std::vector<std::string>& volumes, int nodes = 1,
                    const Caller* as = nullptr) {
    std::string list;
    for (const std::string& volume : volumes) list += (list.empty() ? "'" : ", '") + volume + "'";
    return commands->addUnit(as ? *as : caller, compute, name,
                             unitCci(name, nodes, "        volume_id: [" + list + "]\n"));
  }

  /// A unit `ebs` of so many disks that are ready; returns what a CCI calls them by.
  std::vector<std::string> readyDisks(int count) {
    REQUIRE(addDisks(storage, "ebs", count).ok());
    REQUIRE(runUntil([&] { return count == static_cast<int>(this->count(State::kRunning)); }));
    std::vector<std::string> references;
    for (const Node& one : members(storage)) references.push_back(reference(one));
    return references;
  }

  std::string reference(const Node& one) const { return "vcp:" + storage + ":ebs:" + one.node_id; }

  /// The nodes or disks of a UnitGroup by number.
  std::vector<Node> members(const std::string& vcid) const {
    std::vector<Node> found;
    for (const Node& node : nodes()) {
      if (node.vcid == vcid) found.push_back(node);
    }
    std::ranges::sort(found, {}, &Node::node_no);
    return found;
  }
  State stateOf(const std::string& vcid) const {
    const std::vector<Node> found = members(vcid);
    return found.size() == 1 ? found.front().state : State::kIndefinite;
  }
  bool isGone(const std::string& vcid) const { return members(vcid).empty(); }
  std::vector<Attachment> attachments() const {
    std::vector<Attachment> found;
    store->read([&](const ReadTx& tx) {
      tx.attachments().scan([&](const Attachment& tie) {
        found.push_back(tie);
        return true;
      });
    });
    return found;
  }
  bool isDeleting(const std::string& vcid) const {
    bool deleting = false;
    store->read([&](const ReadTx& tx) {
      const Vc* vc = tx.vcs().find(vcid);
      deleting = vc != nullptr && vc->deleting;
      tx.units().scan("vcid", vcid, [&](const Unit& unit) {
        deleting = deleting || unit.deleting;
        return true;
      });
    });
    return deleting;
  }
};

/// What the cloud calls a disk of `ebs`.
std::string volumeOf(const DiskRig& rig, std::size_t place) {
  const Node member = rig.members(rig.storage).at(place);
  for (const Machine& volume : rig.machines()) {
    if (volume.machine_id == member.machine_id) return volume.cloud_id;
  }
  return {};
}

}  // namespace

TEST_CASE("a storage unit: disks are made in one call, grow, shrink, and go") {
  DiskRig rig;
  REQUIRE(rig.addDisks(rig.storage, "ebs", 3, "        size: 8\n").ok());
  CHECK(rig.count(State::kBooting) == 3);  // before the engine has done anything
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  CHECK(rig.clouds->count("create_disk") == 1);
  CHECK(rig.clouds->specs.front().find(R"("size":"8")") != std::string::npos);
  CHECK(rig.clouds->specs.front().find("access") == std::string::npos);
  CHECK(rig.driver->cloud.empty());
  for (const Machine& volume : rig.machines()) {
    CHECK(volume.kind == UnitKind::kStorage);
    CHECK(volume.size_gib == 8);
    CHECK(volume.cloud_id.starts_with("vol-"));
  }
  CHECK(rig.events("disk 1 of unit ebs").back().find("RUNNING") != std::string::npos);

  REQUIRE(rig.commands->addNodes(rig.caller, rig.storage, "ebs", {.count = 2}).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 5; }));
  CHECK(rig.commands->addNodes(rig.caller, rig.storage, "ebs", {.addresses = {"10.0.0.9"}}).code() ==
        Code::kInvalidArgument);
  const std::string second = rig.members(rig.storage)[1].node_id;
  REQUIRE(rig.commands->deleteNode(rig.caller, rig.storage, "ebs", second).ok());
  REQUIRE(rig.runUntil([&] { return rig.members(rig.storage).size() == 4; }));
  CHECK(rig.clouds->volumes.size() == 4);
  CHECK(rig.commands->deleteUnit(rig.caller, rig.storage, "ebs", false).code() == Code::kFailedPrecondition);
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.storage); }));
  CHECK(rig.clouds->volumes.empty());
  CHECK(rig.machines().empty());
  CHECK(rig.openOps() == 0);
}

TEST_CASE("what a storage unit cannot be is refused before anything is recorded") {
  DiskRig rig;
  CHECK(rig.addDisks(rig.storage, "ebs", 1, "        size: huge\n").code() == Code::kInvalidArgument);
  CHECK(rig.addDisks(rig.compute, "ebs", 1).code() == Code::kInvalidArgument);  // of another type
  rig.clouds->facts.offers_disks = false;
  const Status none = rig.addDisks(rig.storage, "ebs", 1);
  CHECK(none.code() == Code::kInvalidArgument);
  CHECK(none.message().find("offers no disks") != std::string::npos);
  CHECK(rig.addMachine("web", {"vol-7"}).message() == "cloud_params.volume_id[0]: provider fake offers no disks");
  CHECK(rig.nodes().empty());
}

TEST_CASE("a disk that fails ends in ERROR, with its unit") {
  DiskRig rig;
  rig.clouds->makes_disks_as = MachineState::kFailed;
  REQUIRE(rig.addDisks(rig.storage, "ebs", 1).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.storage) == State::kError; }));
  REQUIRE(rig.runUntil([&] { return rig.clouds->volumes.empty(); }));  // and is given back
  CHECK(rig.members(rig.storage).front().fault.text.find("the disk") != std::string::npos);
}

TEST_CASE("a node gets the disks that its unit names, in their order, before it is RUNNING") {
  DiskRig rig;
  const std::vector<std::string> disks = rig.readyDisks(2);
  rig.clouds->volumes["vol-foreign"] = {"vol-foreign", "", MachineState::kRunning};
  REQUIRE(rig.addMachine("web", {disks[1], "vol-foreign", disks[0]}).ok());
  CHECK(rig.attachments().size() == 3);  // taken with the 202
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  const std::string machine = rig.clouds->cloud.begin()->second.id;
  for (const auto& [name, volume] : rig.clouds->volumes) CHECK(volume.holder == machine);
  CHECK(rig.clouds->count("attach") == 1);
  for (const Attachment& tie : rig.attachments()) {
    CHECK(tie.state == AttachState::kAttached);
    CHECK(tie.position == (tie.volume_id.empty() ? (tie.disk == rig.members(rig.storage)[1].node_id ? 0 : 2) : 1));
  }
  CHECK(rig.events("disk 2 of unit ebs").back() == "disk 2 of unit ebs: free > attached (to node 1 of unit web)");

  REQUIRE(rig.commands->deleteUnit(rig.caller, rig.compute, "web", true).ok());
  REQUIRE(rig.runUntil([&] { return rig.isGone(rig.compute); }));
  CHECK(rig.attachments().empty());
  CHECK(rig.clouds->volumes.size() == 3);  // none was deleted
  for (const auto& [name, volume] : rig.clouds->volumes) CHECK(volume.holder.empty());
  CHECK(rig.clouds->count("detach") == 0);  // the cloud had let go of them with the machine
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.storage); }));
  CHECK(rig.clouds->volumes.size() == 1);  // the one that is not ours
}

TEST_CASE("a cloud that attaches only to machines that are off: off, the disks, on again") {
  DiskRig rig;
  rig.clouds->facts.attach_needs = AttachNeeds::kOff;
  const std::vector<std::string> disks = rig.readyDisks(2);
  const auto runs = [&] { return rig.stateOf(rig.compute) == State::kRunning; };
  const auto holders = [&] {
    std::set<std::string> found;
    for (const auto& [name, volume] : rig.clouds->volumes) found.insert(volume.holder);
    return found;
  };
  SUBCASE("it comes up running") {}
  SUBCASE("it comes up off") { rig.clouds->boots_as = MachineState::kStopped; }
  SUBCASE("answers are lost, and calls refused for now") {
    std::map<std::string, int> asked;
    rig.clouds->script = [asked](const std::string& call, const CallContext&, const MachineRef&) mutable {
      const bool switches = call == "power_off" || call == "power_on" || call == "attach";
      FakeDriver::Fate fate;
      if (switches && ++asked[call] == 1) fate.error = Status(Code::kUnknown, "no answer", Outcome::kUnknown);
      if (switches && asked[call] == 2) {
        fate.apply = false;
        fate.error = Status(Code::kUnavailable, "not now", Outcome::kNotApplied);
      }
      return fate;
    };
  }
  REQUIRE(rig.addMachine("web", disks).ok());
  REQUIRE(rig.runUntil(runs));
  CHECK(rig.clouds->cloud.size() == 1);
  CHECK(rig.clouds->cloud.begin()->second.state == MachineState::kRunning);
  CHECK(holders() == std::set<std::string>{rig.clouds->cloud.begin()->second.id});
  CHECK(rig.openOps() == 0);

  // Off and on again by its user: nothing is attached anew.
  const int attached = rig.clouds->count("attach");
  const Node node = rig.members(rig.compute).front();
  REQUIRE(rig.commands->changeUnit(rig.caller, rig.compute, "web", Verb::kPowerOff).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kPowerOff; }));
  REQUIRE(rig.commands->changeUnit(rig.caller, rig.compute, "web", Verb::kPowerOn).ok());
  REQUIRE(rig.runUntil(runs));
  CHECK(rig.clouds->count("attach") == attached);
  CHECK(rig.members(rig.compute).front().machine_id == node.machine_id);

  // Another machine gets them in the same way.
  rig.clouds->script = nullptr;
  REQUIRE(rig.commands->changeUnit(rig.caller, rig.compute, "web", Verb::kStop).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kStopped; }));
  CHECK(holders() == std::set<std::string>{""});
  REQUIRE(rig.commands->changeUnit(rig.caller, rig.compute, "web", Verb::kStart).ok());
  REQUIRE(rig.runUntil(runs));
  CHECK(holders() == std::set<std::string>{rig.clouds->cloud.begin()->second.id});
}

TEST_CASE("switched off by its user while it waits for its disks, a machine gets them on the way up again") {
  DiskRig rig;
  rig.clouds->facts.attach_needs = AttachNeeds::kOff;
  rig.clouds->makes_disks_as = MachineState::kProvisioning;
  REQUIRE(rig.addDisks(rig.storage, "ebs", 1).ok());
  REQUIRE(rig.runUntil([&] { return !rig.clouds->volumes.empty(); }));
  REQUIRE(rig.addMachine("web", {rig.reference(rig.members(rig.storage).front())}).ok());
  REQUIRE(rig.runUntil([&] { return rig.members(rig.compute).front().progress == "disk 1 of unit ebs"; }));
  CHECK(rig.clouds->cloud.begin()->second.state == MachineState::kStopped);
  REQUIRE(rig.commands->changeUnit(rig.caller, rig.compute, "web", Verb::kPowerOff).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kPowerOff; }));
  rig.clouds->volumes.begin()->second.state = MachineState::kRunning;
  REQUIRE(rig.commands->changeUnit(rig.caller, rig.compute, "web", Verb::kPowerOn).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  CHECK(rig.clouds->volumes.begin()->second.holder == rig.clouds->cloud.begin()->second.id);
  CHECK(rig.clouds->count("power_on") == 1);
}

TEST_CASE("a cloud that attaches only to machines that are off, and cannot switch them off, attaches nothing") {
  DiskRig rig;
  rig.clouds->facts.attach_needs = AttachNeeds::kOff;
  rig.clouds->facts.can_power = false;
  const Status refused = rig.addMachine("web", {rig.readyDisks(1).front()});
  CHECK(refused.code() == Code::kInvalidArgument);
  CHECK(refused.message().find("cannot switch them off") != std::string::npos);
}

TEST_CASE("a disk that comes later than its machine is attached then") {
  DiskRig rig;
  rig.clouds->makes_disks_as = MachineState::kProvisioning;
  REQUIRE(rig.addDisks(rig.storage, "ebs", 1).ok());
  REQUIRE(rig.runUntil([&] { return !rig.clouds->volumes.empty(); }));
  REQUIRE(rig.addMachine("web", {rig.reference(rig.members(rig.storage).front())}).ok());
  REQUIRE(rig.runUntil([&] { return rig.members(rig.compute).front().progress == "disk 1 of unit ebs"; }));
  CHECK_FALSE(rig.runUntil([&] { return rig.stateOf(rig.compute) != State::kBooting; }, 30000));
  const std::size_t flushes = rig.faults->flushes();
  rig.runUntil([] { return false; }, 30000);
  CHECK(rig.faults->flushes() - flushes < 40);  // waiting costs next to nothing
  rig.clouds->volumes.begin()->second.state = MachineState::kRunning;
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  CHECK_FALSE(rig.clouds->volumes.begin()->second.holder.empty());
}

TEST_CASE("a disk in use is not deleted: its unit is RUNNING again and the disk says why") {
  DiskRig rig;
  const std::vector<std::string> disks = rig.readyDisks(2);
  REQUIRE(rig.addMachine("web", {disks[0]}).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  SUBCASE("DELETE of the UnitGroup") { REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok()); }
  SUBCASE("of the unit") { REQUIRE(rig.commands->deleteUnit(rig.caller, rig.storage, "ebs", true).ok()); }
  SUBCASE("of each disk") {
    for (const Node& disk : rig.members(rig.storage)) {
      REQUIRE(rig.commands->deleteNode(rig.caller, rig.storage, "ebs", disk.node_id).ok());
    }
  }
  for (const Node& disk : rig.members(rig.storage)) CHECK(disk.state == State::kDeleting);  // with the 202
  REQUIRE(rig.runUntil([&] { return rig.members(rig.storage).size() == 1 && !rig.isDeleting(rig.storage); }));
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.storage) == State::kRunning; }));
  const Node kept = rig.members(rig.storage).front();
  CHECK(kept.node_no == 1);
  CHECK(kept.settled());
  CHECK(kept.fault.text.find("in use by node 1 of unit web of UnitGroup g") != std::string::npos);
  CHECK(rig.clouds->volumes.size() == 1);
  CHECK(rig.stateOf(rig.compute) == State::kRunning);

  REQUIRE(rig.commands->deleteVc(rig.caller, rig.compute, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.compute); }));
  CHECK(rig.members(rig.storage).front().fault.text.empty());  // it is in use no more
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.storage); }));
  CHECK(rig.clouds->volumes.empty());
}

TEST_CASE("both are deleted at once: the disk goes after its node") {
  DiskRig rig;
  const std::vector<std::string> disks = rig.readyDisks(1);
  REQUIRE(rig.addMachine("web", disks).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.compute, true).ok());
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.storage); }));
  CHECK_FALSE(rig.hasVc(rig.compute));
  CHECK(rig.clouds->volumes.empty());
  CHECK(rig.clouds->cloud.empty());
}

TEST_CASE("a disk that is deleted while the answer of its create is missing goes, and who waits for it is told") {
  DiskRig rig;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "create_disk") fate.error = Status(Code::kUnavailable, "connection reset", Outcome::kUnknown);
    return fate;
  };
  REQUIRE(rig.addDisks(rig.storage, "ebs", 1).ok());
  const auto shows = [&] {
    return !rig.machines().empty() && rig.machines().front().observed == MachineState::kRunning;
  };
  REQUIRE(rig.runUntil(shows));
  REQUIRE(rig.openOps() == 1);
  REQUIRE(rig.addMachine("web", {rig.reference(rig.members(rig.storage).front())}).ok());
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.storage); }));
  CHECK(rig.clouds->volumes.empty());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kError; }));
  CHECK(rig.members(rig.compute).front().fault.text.find("was deleted before it could be attached") !=
        std::string::npos);
  CHECK(rig.openOps() == 0);
}

TEST_CASE("a cloud that knows of a user that no record knows keeps its disk") {
  DiskRig rig;
  rig.readyDisks(1);
  rig.clouds->volumes.begin()->second.holder = "i-somebody";
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.storage) == State::kRunning; }));
  CHECK_FALSE(rig.isDeleting(rig.storage));
  CHECK(rig.openOps() == 0);
  CHECK(rig.members(rig.storage).front().fault.text.find("VolumeInUse") != std::string::npos);
  CHECK_FALSE(rig.machines().front().want_destroy);
  rig.clouds->volumes.begin()->second.holder.clear();
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.storage); }));
  CHECK(rig.clouds->volumes.empty());
}

TEST_CASE("a cloud that does not let go of the disks of a machine that is gone is asked to") {
  DiskRig rig;
  rig.clouds->clings = true;
  REQUIRE(rig.addMachine("web", rig.readyDisks(2)).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  int failures = 2;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call == "detach" && failures > 0) {
      --failures;
      fate.apply = false;
      fate.error = Status(Code::kUnavailable, "later", Outcome::kNotApplied);
    }
    return fate;
  };
  REQUIRE(rig.commands->deleteUnit(rig.caller, rig.compute, "web", true).ok());
  REQUIRE(rig.runUntil([&] { return rig.isGone(rig.compute); }));
  CHECK(rig.clouds->count("detach") >= 2);
  for (const auto& [name, volume] : rig.clouds->volumes) CHECK(volume.holder.empty());
}

TEST_CASE("an attach that cannot work ends the boot, and the disk is free again") {
  DiskRig rig;
  REQUIRE(rig.addMachine("web", {"vol-absent"}).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kError; }));
  CHECK(rig.members(rig.compute).front().fault.text.find("volume vol-absent") != std::string::npos);
  REQUIRE(rig.runUntil([&] { return rig.clouds->cloud.empty(); }));  // the machine is given back
  REQUIRE(rig.commands->deleteUnit(rig.caller, rig.compute, "web", true).ok());
  REQUIRE(rig.runUntil([&] { return rig.isGone(rig.compute); }));
  CHECK(rig.attachments().empty());
}

TEST_CASE("an attach without an answer, or refused for now, is asked again until it is seen") {
  DiskRig rig;
  int attaches = 0;
  const std::vector<std::string> disks = rig.readyDisks(1);
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    FakeDriver::Fate fate;
    if (call != "attach") return fate;
    ++attaches;
    fate.apply = attaches > 2;
    if (attaches == 1) fate.error = Status(Code::kDeadlineExceeded, "no answer", Outcome::kUnknown);
    if (attaches == 2) fate.error = Status(Code::kFailedPrecondition, "busy", Outcome::kNotApplied);
    if (attaches == 3) fate.silent = true;
    return fate;
  };
  REQUIRE(rig.addMachine("web", disks).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  CHECK(attaches == 3);
  CHECK(rig.members(rig.compute).front().fault.text.empty());
}

TEST_CASE("a machine that is replaced takes its disks along") {
  DiskRig rig;
  const std::vector<std::string> disks = rig.readyDisks(1);
  int attaches = 0;
  rig.driver->script = [&](const std::string& call, const CallContext&, const MachineRef&) {
    if (call == "attach" && ++attaches == 1) rig.clouds->cloud.clear();  // it vanishes while its disk is attached
    return FakeDriver::Fate{};
  };
  REQUIRE(rig.addMachine("web", disks).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  rig.driver->script = {};
  REQUIRE(rig.commands->deleteVc(rig.caller, rig.compute, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(rig.compute); }));
  CHECK(rig.attachments().empty());
}

TEST_CASE("disks that are not there, not one's own, or taken are refused with the request") {
  DiskRig rig;
  const std::vector<std::string> disks = rig.readyDisks(2);
  const std::string id = rig.members(rig.storage).front().node_id;
  const auto code = [&](const std::string& volume) { return rig.addMachine("web", {volume}).code(); };
  CHECK(code("vcp:nobody:ebs:" + id) == Code::kInvalidArgument);
  CHECK(code("vcp:" + rig.storage + ":other:" + id) == Code::kInvalidArgument);
  CHECK(code("vcp:" + rig.storage + ":ebs:nobody") == Code::kInvalidArgument);
  CHECK(code("vcp:" + rig.storage + ":" + id) == Code::kInvalidArgument);
  CHECK(code("vol 1") == Code::kInvalidArgument);
  CHECK(rig.addMachine("web", {disks[0], disks[0]}).code() == Code::kAlreadyExists);
  CHECK(rig.addMachine("web", disks, 2).code() == Code::kInvalidArgument);  // they would be for one node
  CHECK(rig.attachments().empty());                                         // a refused request takes nothing

  const Caller stranger{.principal = {.user = "stranger", .token_head = "s.else"}, .privileged = false};
  const auto their = rig.commands->createVc(stranger, base64Encode("- vc:\n    name: x\n    description: \"x\"\n"));
  REQUIRE(their.ok());
  CHECK(rig.commands->addUnit(stranger, *their, "web", unitCci("web", 1, "        volume_id: ['" + disks[0] + "']\n"))
            .code() == Code::kPermissionDenied);

  REQUIRE(rig.addMachine("web", {disks[0]}).ok());
  CHECK(rig.addMachine("two", {disks[0]}).code() == Code::kAlreadyExists);
  CHECK(rig.addMachine("two", {volumeOf(rig, 0)}).code() == Code::kAlreadyExists);  // by its other name
  CHECK(rig.commands->addNodes(rig.caller, rig.compute, "web", {.count = 1}).code() == Code::kFailedPrecondition);
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  const std::string node = rig.members(rig.compute).front().node_id;
  REQUIRE(rig.commands->deleteNode(rig.caller, rig.compute, "web", node).ok());
  REQUIRE(rig.runUntil([&] { return rig.isGone(rig.compute); }));
  REQUIRE(rig.commands->addNodes(rig.caller, rig.compute, "web", {.count = 1}).ok());  // the next node gets it
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  CHECK(rig.attachments().size() == 1);

  REQUIRE(rig.commands->deleteNode(rig.caller, rig.storage, "ebs", rig.members(rig.storage)[1].node_id).ok());
  CHECK(rig.addMachine("two", {disks[1]}).code() == Code::kFailedPrecondition);
}

TEST_CASE("an administrator's purge of the machines leaves no disk in use behind") {
  DiskRig rig;
  REQUIRE(rig.addMachine("web", rig.readyDisks(1)).ok());
  REQUIRE(rig.runUntil([&] { return rig.stateOf(rig.compute) == State::kRunning; }));
  const auto disks = rig.commands->purgeVc(rig.storage, PurgeMode::kLook, "test");
  REQUIRE(disks.ok());
  REQUIRE(disks->objects.size() == 1);
  CHECK(disks->objects.front().machine.kind == UnitKind::kStorage);
  REQUIRE(rig.commands->purgeVc(rig.compute, PurgeMode::kKeepCloud, "test").ok());
  CHECK(rig.attachments().empty());
}

TEST_CASE("the process dies at any flush: disks are made once, attached once, and go once") {
  for (const Idempotency kind : {Idempotency::kToken, Idempotency::kLookup}) {
    for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
      for (std::size_t nth = 1; nth <= 24; ++nth) {
        CAPTURE(nth);
        DiskRig rig(kind);
        rig.clouds->clings = nth % 2 == 0;
        if (nth % 3 == 0) rig.clouds->facts.attach_needs = AttachNeeds::kOff;
        const auto die = [&](const std::function<bool()>& done) {
          rig.faults->crashAtFlush(nth, point);
          rig.runUntil(done, 20000);
          rig.crash();
          REQUIRE(rig.runUntil(done));
        };
        REQUIRE(rig.addDisks(rig.storage, "ebs", 2).ok());
        die([&] { return rig.count(State::kRunning) == 2; });
        CHECK(rig.clouds->made == 2);
        const std::vector<Node> disks = rig.members(rig.storage);
        REQUIRE(rig.addMachine("web", {rig.reference(disks[0]), rig.reference(disks[1])}).ok());
        die([&] { return rig.stateOf(rig.compute) == State::kRunning; });
        CHECK(rig.clouds->cloud.size() == 1);
        for (const auto& [name, volume] : rig.clouds->volumes) {
          CHECK(volume.holder == rig.clouds->cloud.begin()->second.id);
        }
        REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
        die([&] { return !rig.isDeleting(rig.storage) && rig.count(State::kRunning) == 3; });
        REQUIRE(rig.commands->deleteVc(rig.caller, rig.compute, true).ok());
        REQUIRE(rig.commands->deleteVc(rig.caller, rig.storage, true).ok());
        die([&] { return !rig.hasVc(rig.compute) && !rig.hasVc(rig.storage); });
        CHECK(rig.clouds->volumes.empty());
        CHECK(rig.clouds->cloud.empty());
        CHECK(rig.machines().empty());
        CHECK(rig.attachments().empty());
        CHECK(rig.openOps() == 0);
      }
    }
  }
}

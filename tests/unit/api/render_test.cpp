// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/render.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "api/vcp/render_cache.h"
#include "api_rig.h"
#include "memory_logger.h"
#include "model/cci.h"

using namespace vcc;
using namespace vcc::test;

namespace {

const std::string kVcid = "c06a5b39f4b24c0c9a6f0d7a2e5b1c34";
const std::string kUnitId = "11111111111111111111111111111111";

std::string id(char c) { return std::string(32, c); }

Node bootedNode() {
  Node node;
  node.node_id = id('a');
  node.vcid = kVcid;
  node.unit_id = kUnitId;
  node.node_no = 1;
  node.state = State::kRunning;
  node.machine_id = id('9');
  node.boot_at = 1'664'292'810'000;
  node.container_started = 1'664'292'950'000;
  return node;
}

void fill(ApiRig& rig) {
  const Status done = rig.store->transact([](Tx& tx) -> Status {
    Vc vc;
    vc.vcid = kVcid;
    vc.vcno = 8;
    vc.name = "handson102_0";
    vc.owner = "nobody";
    vc.created_at = 1'664'292'777'000;
    VCC_RETURN_IF_ERROR(tx.vcs().put(vc));
    Unit unit;
    unit.unit_id = kUnitId;
    unit.vcid = kVcid;
    unit.name = "aws-server";
    unit.provider = "fake";
    unit.instance = "fake";
    unit.network = "default";
    unit.created_at = 1'664'292'780'000;
    unit.spec = "not json";
    VCC_RETURN_IF_ERROR(tx.units().put(unit));
    Machine machine;
    machine.machine_id = id('9');
    machine.node_id = id('a');
    machine.unit_id = kUnitId;
    machine.vcid = kVcid;
    machine.name = "vcp-c80e43c2-1";
    machine.cloud_id = "i-0eea84db32c631d3f";
    machine.address = "172.30.2.7";
    VCC_RETURN_IF_ERROR(tx.machines().put(machine));
    Node second = bootedNode();
    second.node_id = "00000000000000000000000000000000";  // before the first by id
    second.node_no = 2;
    second.machine_id.clear();
    second.requested_address = "172.30.2.8";
    second.state = State::kBooting;
    second.boot_at = 0;
    second.container_started = 0;
    second.watch_mode = false;
    VCC_RETURN_IF_ERROR(tx.nodes().put(second));
    return tx.nodes().put(bootedNode());
  });
  REQUIRE(done.ok());
}

RenderedVc render(ApiRig& rig, const RenderedVc* before = nullptr) {
  RenderedVc out;
  rig.store->read([&](const ReadTx& tx) {
    out = renderVc(tx, *tx.vcs().find(kVcid), {kVccId, rig.registry, rig.log, rig.sealer}, before);
  });
  return out;
}

}  // namespace

TEST_CASE("a VC is rendered field by field, nodes in the order of their numbers, no null anywhere") {
  ApiRig rig;
  fill(rig);
  CHECK(render(rig).json ==
        R"({"vcc_id":"c80e43c2a1b2c3d4e5f60718293a4b5c","vcid":"c06a5b39f4b24c0c9a6f0d7a2e5b1c34","vcno":8,)"
        R"("type":"compute","name":"handson102_0","description":"","owner":"nobody","state":"APPLYING",)"
        R"("cdate":"2022/09/27 15:32:57 UTC","error_message":"","unit":[{"name":"aws-server","type":"compute",)"
        R"("provider":"fake","private_network":"default","state":"INDEFINITE","cdate":"2022/09/27 15:33:00 UTC",)"
        R"("error_message":"","info":"","node":[)"
        R"({"node_no":1,"node_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","name":"handson102_0-aws-server-1",)"
        R"("state":"RUNNING","cloud_instance_address":"172.30.2.7","cloud_instance_id":"i-0eea84db32c631d3f",)"
        R"("volumes":[],"boot_date":"2022/09/27 15:33:30 UTC","container_date":"2022/09/27 15:35:50 UTC",)"
        R"("watch_mode":true,"error_message":""},)"
        R"({"node_no":2,"node_id":"00000000000000000000000000000000","name":"handson102_0-aws-server-2",)"
        R"("state":"BOOTING","cloud_instance_address":"172.30.2.8","cloud_instance_id":"",)"
        R"("volumes":[],"boot_date":"","container_date":"","watch_mode":false,"error_message":""}]}]})");
}

TEST_CASE("the text of a unit with many failures is bounded, and each of its lines begins with a time") {
  ApiRig rig;
  fill(rig);
  const Status done = rig.store->transact([](Tx& tx) -> Status {
    for (int i = 0; i < 25; ++i) {
      Node node = bootedNode();
      node.node_id = fmt::format("{:032x}", 100 + i);
      node.node_no = 10 + i;
      node.machine_id.clear();
      node.state = State::kError;
      node.fault = {1'664'292'960'000 + i * 1000, "no room\nin this zone"};
      VCC_RETURN_IF_ERROR(tx.nodes().put(node));
    }
    return okStatus();
  });
  REQUIRE(done.ok());
  const std::string json = render(rig).json;
  CHECK(contains(
      json, R"("error_message":"2022/09/27 15:36:00 UTC: node 10: no room\n2022/09/27 15:36:00 UTC: in this zone\n)"
            R"(2022/09/27 15:36:01 UTC: node 11: )"));
  CHECK(contains(json, R"(\n2022/09/27 15:36:24 UTC: ... and 5 more nodes; see their own error_message")"));
}

TEST_CASE("slices are the units") {
  ApiRig rig;
  fill(rig);
  const RenderedVc vc = render(rig);
  REQUIRE(vc.units.size() == 1);
  const TextSlice slice = vc.units.at("aws-server").text;
  const std::string unit = vc.json.substr(slice.offset, slice.length);
  CHECK(unit.rfind("{\"name\":\"aws-server\"", 0) == 0);
  CHECK(unit.back() == '}');
  CHECK(vc.json[slice.offset + slice.length] == ']');
}

TEST_CASE("faults: every line has its time, and the unit repeats those of its failed nodes") {
  CHECK(faultLines({}).empty());
  CHECK(faultLines({1'664'292'777'000, "a\nb"}) == "2022/09/27 15:32:57 UTC: a\n2022/09/27 15:32:57 UTC: b");
  ApiRig rig;
  fill(rig);
  REQUIRE(rig.store
              ->transact([](Tx& tx) -> Status {
                Node node = bootedNode();
                node.state = State::kError;
                node.fault = {1'664'292'777'000, "step ssh: refused"};
                return tx.nodes().put(node);
              })
              .ok());
  const std::string json = render(rig).json;
  CHECK(contains(json, R"("state":"ERROR","cdate":"2022/09/27 15:33:00 UTC","error_message":)"
                       R"("2022/09/27 15:32:57 UTC: node 1: step ssh: refused")"));
  CHECK(contains(json, R"("owner":"nobody","state":"ERROR")"));
}

TEST_CASE("info is YAML with secrets masked and the driver's clear keys shown") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "x");
  rig.makeUnit(vcid, "web", 1);
  const std::string json = rig.call(rig.token, "GET", "/vcs/" + vcid).body;
  CHECK(contains(json, R"("info":")"));
  CHECK(contains(json, "blue"));
  CHECK_FALSE(contains(json, "hunter2"));
}

TEST_CASE("a storage unit has disks, not nodes") {
  ApiRig rig;
  fill(rig);
  REQUIRE(rig.store
              ->transact([](Tx& tx) -> Status {
                Unit unit = *tx.units().find(kUnitId);
                unit.kind = UnitKind::kStorage;
                return tx.units().put(unit);
              })
              .ok());
  Machine volume;
  REQUIRE(rig.store
              ->transact([&](Tx& tx) -> Status {
                volume = *tx.machines().find(id('9'));
                volume.kind = UnitKind::kStorage;
                volume.cloud_id = "vol-05352d9eb7355cdd7";
                volume.address.clear();
                volume.size_gib = 43;
                volume.created_at = 1'664'292'790'000;
                return tx.machines().put(volume);
              })
              .ok());
  const std::string json = render(rig).json;
  CHECK(contains(json, R"("disk":[{"disk_no":1,"disk_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",)"
                       R"("name":"handson102_0-aws-server-1","state":"RUNNING","in_use":false,)"
                       R"("cdate":"2022/09/27 15:33:10 UTC","cloud_disk_id":"vol-05352d9eb7355cdd7",)"
                       R"("cloud_disk_size":43,"error_message":""},)"
                       R"({"disk_no":2,"disk_id":"00000000000000000000000000000000",)"
                       R"("name":"handson102_0-aws-server-2","state":"BOOTING","in_use":false,"cdate":"",)"
                       R"("cloud_disk_id":"","cloud_disk_size":0,"error_message":""}])"));
  CHECK_FALSE(contains(json, R"("node":)"));
  CHECK_FALSE(contains(json, "node_no"));

  const auto use = [&](AttachState state) {
    REQUIRE(rig.store
                ->transact([&](Tx& tx) -> Status {
                  Attachment tie;
                  tie.disk = id('a');
                  tie.node_id = id('7');
                  tie.vcid = "another";
                  tie.disk_vcid = kVcid;
                  tie.state = state;
                  return tx.attachments().put(tie);
                })
                .ok());
  };
  use(AttachState::kWanted);
  CHECK(contains(render(rig).json, R"("in_use":true)"));
}

TEST_CASE("a node shows the disks that hang on its machine, in their order") {
  ApiRig rig;
  fill(rig);
  const auto attach = [&](const std::string& volume, std::int64_t position, AttachState state) {
    REQUIRE(rig.store
                ->transact([&](Tx& tx) -> Status {
                  Attachment tie;
                  tie.disk = "fake\x1f" + volume;
                  tie.node_id = id('a');
                  tie.vcid = kVcid;
                  tie.volume_id = volume;
                  tie.position = position;
                  tie.state = state;
                  return tx.attachments().put(tie);
                })
                .ok());
  };
  attach("vol-1", 2, AttachState::kAttached);
  attach("vol-2", 1, AttachState::kAttached);
  attach("vol-3", 0, AttachState::kAsked);
  CHECK(contains(render(rig).json, R"("volumes":[{"volume_id":"vol-2"},{"volume_id":"vol-1"}])"));
}

namespace {

/// One of the things that happen to a VC of `kUnitId`, by chance.
Status happen(Tx& tx, std::mt19937& random) {
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  const std::string node_id = fmt::format("{:032x}", 1 + below(8));
  const std::string machine_id = fmt::format("{:032x}", 101 + below(8));
  const Node* const found = tx.nodes().find(node_id);
  Node node = found == nullptr ? bootedNode() : *found;
  node.node_id = node_id;
  if (found == nullptr) node.node_no = 10 + static_cast<std::int64_t>(below(1'000'000'000));
  switch (below(9)) {
    case 0:
      tx.attachments().erase("fake\x1fvol");
      tx.nodes().erase(node_id);
      return okStatus();
    case 1:
      node.state = static_cast<State>(below(static_cast<std::uint64_t>(State::kIndefinite)));
      node.fault = {1'664'292'960'000, below(2) == 0 ? "" : "no room"};
      break;
    case 2:
      node.machine_id = below(3) == 0 ? "" : machine_id;
      break;
    case 3: {
      Machine machine = tx.machines().find(machine_id) == nullptr ? Machine{} : *tx.machines().find(machine_id);
      machine.machine_id = machine.name = machine_id;
      machine.unit_id = kUnitId;
      machine.vcid = kVcid;
      machine.cloud_id = fmt::format("i-{}", below(100));
      return tx.machines().put(std::move(machine));
    }
    case 4: {
      Vc vc = *tx.vcs().find(kVcid);
      (below(2) == 0 ? vc.name : vc.description) = fmt::format("group{}", below(3));
      return tx.vcs().put(std::move(vc));
    }
    case 5: {
      Unit unit = *tx.units().find(kUnitId);
      unit.fault = {1'664'292'960'000, below(2) == 0 ? "" : "no account"};
      return tx.units().put(std::move(unit));
    }
    case 6: {
      if (found == nullptr) return okStatus();
      Attachment tie;
      tie.disk = "fake\x1fvol";
      tie.node_id = node_id;
      tie.vcid = kVcid;
      tie.volume_id = fmt::format("vol-{}", below(3));
      tie.state = below(2) == 0 ? AttachState::kAsked : AttachState::kAttached;
      return tx.attachments().put(std::move(tie));
    }
    case 7:
      tx.attachments().erase("fake\x1fvol");
      return okStatus();
    default:
      node.watch_mode = !node.watch_mode;
  }
  return tx.nodes().put(std::move(node));
}

}  // namespace

TEST_CASE("a text that takes over what holds of an earlier one is the text made from nothing") {
  ApiRig rig;
  fill(rig);
  std::mt19937 random(17);
  RenderedVc text = render(rig);
  for (int i = 0; i < 3000; ++i) {
    const Status done = rig.store->transact([&](Tx& tx) -> Status {
      for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
        VCC_RETURN_IF_ERROR(happen(tx, random));
      }
      return okStatus();
    });
    REQUIRE_MESSAGE(done.ok(), done.toString());
    text = render(rig, &text);
    REQUIRE(text.json == render(rig).json);
  }
}

TEST_CASE("what a unit was asked for is read again only when its record is another one") {
  ApiRig rig;
  fill(rig);  // with a spec that cannot be read, which is logged
  MemoryLogger log;
  RenderedVc text;
  const auto renderWith = [&](const RenderedVc* before) {
    RenderedVc out;
    rig.store->read([&](const ReadTx& tx) {
      out = renderVc(tx, *tx.vcs().find(kVcid), {kVccId, rig.registry, log, rig.sealer}, before);
    });
    return out;
  };
  const auto complaints = [&] {
    const std::string lines = log.text();
    return std::count(lines.begin(), lines.end(), '\n');
  };
  const auto put = [&](auto change) { REQUIRE(rig.store->transact(change).ok()); };
  text = renderWith(nullptr);
  CHECK(complaints() == 1);
  put([](Tx& tx) {
    Node node = bootedNode();
    node.watch_mode = false;
    return tx.nodes().put(node);
  });
  text = renderWith(&text);
  CHECK(complaints() == 1);
  CHECK(contains(text.json, R"("watch_mode":false,"error_message":""},)"));
  put([](Tx& tx) { return tx.units().put(*tx.units().find(kUnitId)); });
  text = renderWith(&text);
  CHECK(complaints() == 2);
}

TEST_CASE("many readers at once of a VC that goes on changing see no older text than they came for") {
  ApiRig rig;
  fill(rig);
  RenderCache cache;
  std::atomic<bool> over = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!over) {
        rig.store->read([&](const ReadTx& tx) {
          const Vc& vc = *tx.vcs().find(kVcid);
          const auto text = cache.get(tx, vc, {kVccId, rig.registry, rig.log, rig.sealer});
          const State state = tx.nodes().find(id('a'))->state;
          const bool shown =
              contains(text->json, fmt::format(R"("name":"handson102_0-aws-server-1","state":"{}")", stateName(state)));
          if (text->version != vc.version || !shown) ++wrong;
        });
      }
    });
  }
  for (int i = 0; i < 300; ++i) {
    REQUIRE(rig.store
                ->transact([&](Tx& tx) -> Status {
                  Node node = *tx.nodes().find(id('a'));
                  node.state = i % 2 == 0 ? State::kSuspending : State::kRunning;
                  return tx.nodes().put(node);
                })
                .ok());
  }
  over = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("the cache gives the same text while the version stands, and another one after a change") {
  ApiRig rig;
  fill(rig);
  RenderCache cache;
  const auto get = [&] {
    std::shared_ptr<const RenderedVc> text;
    rig.store->read([&](const ReadTx& tx) {
      text = cache.get(tx, *tx.vcs().find(kVcid), {kVccId, rig.registry, rig.log, rig.sealer});
    });
    return text;
  };
  const auto first = get();
  CHECK(get() == first);
  REQUIRE(rig.store
              ->transact([](Tx& tx) -> Status {
                Node node = bootedNode();
                node.state = State::kSuspending;
                return tx.nodes().put(node);
              })
              .ok());
  const auto second = get();
  CHECK(second != first);
  CHECK(contains(second->json, "SUSPENDING"));
}

TEST_CASE("the cache shows info as soon as a driver that came late says which keys are no secrets") {
  ApiRig rig;
  const std::string vcid = rig.makeVc(rig.token, "x");
  rig.makeUnit(vcid, "web", 1);
  const auto get = [&] { return rig.call(rig.token, "GET", "/vcs/" + vcid).body; };
  rig.registry.unload();
  const std::string masked = get();
  CHECK_FALSE(contains(masked, "blue"));
  CHECK(get() == masked);
  rig.registry.replace(rig.driver);
  const std::string shown = get();
  CHECK(contains(shown, "blue"));
  CHECK_FALSE(contains(shown, "hunter2"));
}

TEST_CASE("the cache is bounded: what was used longest ago goes first") {
  ApiRig rig;
  const std::string a = rig.makeVc(rig.token, "a");
  const std::string b = rig.makeVc(rig.token, "b");
  RenderCache cache(100);  // less than one text
  const auto get = [&](const std::string& vcid) {
    std::shared_ptr<const RenderedVc> text;
    rig.store->read([&](const ReadTx& tx) {
      text = cache.get(tx, *tx.vcs().find(vcid), {kVccId, rig.registry, rig.log, rig.sealer});
    });
    return text;
  };
  const auto first = get(a);
  CHECK(get(a) == first);
  get(b);
  CHECK(get(a) != first);
}

// SPDX-License-Identifier: Apache-2.0
// Credentials on their way from a CCI to the driver, and what becomes of them afterwards.
#include <set>

#include "plugin_host/interposers/interposer.h"
#include "secrets/grants.h"
#include "secrets/sealed_records.h"
#include "secrets/secret_store.h"
#include "support/engine_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr char kByReference[] = "        access_key: vault://cubbyhole/fake/access_key\n";
constexpr char kPlain[] = "        access_key: PLAIN-KEY\n";

/// A fake cloud that wants an access key, and remembers which it was called with.
class KeyRig : public EngineRig {
 public:
  std::vector<std::string> used;  // credentials of each create and destroy

  KeyRig() {
    driver->facts.secret_keys = {"access_key"};
    driver->script = [this](const std::string&, const CallContext& context, const MachineRef&) {
      used.push_back(context.credentials.reveal());
      return FakeDriver::Fate{};
    };
    caller.principal.token_hash = "hash-of-nobody";
  }
  void keep(const Principal& who, const std::string& value) {
    REQUIRE(SecretStore(*store, sealer)
                .write(who, parseSecretPath("cubbyhole/fake/access_key").value(),
                       SecretString("{\"value\":\"" + value + "\"}"))
                .ok());
  }
  Status add(const std::string& vcid, const std::string& params) {
    return commands->addUnit(caller, vcid, "web", unitCci("web", 1, params));
  }
  std::vector<Grant> grants() const {
    std::vector<Grant> all;
    store->read([&](const ReadTx& tx) {
      tx.grants().scan([&](const Grant& grant) {
        all.push_back(grant);
        return true;
      });
    });
    return all;
  }
  Unit unit() const {
    Unit first;
    store->read([&](const ReadTx& tx) {
      tx.units().scan([&](const Unit& unit) {
        first = unit;
        return false;
      });
    });
    return first;
  }
};

std::string keyText(const std::string& value) { return R"({"access_key":")" + value + "\"}"; }

}  // namespace

TEST_CASE("a reference reaches the driver as the value, and no record holds it in clear") {
  KeyRig rig;
  rig.keep(rig.caller.principal, "AKIA-1");
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kByReference).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  REQUIRE(rig.grants().size() == 1);
  CHECK(rig.machines().front().grant_id == rig.grants().front().grant_id);
  const Unit unit = rig.unit();
  CHECK(Sealer::isSealed(unit.spec));
  CHECK(openCci(rig.sealer, unit)->cloud_params.find("vault://cubbyhole/fake/access_key") != std::string::npos);

  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(std::set<std::string>(rig.used.begin(), rig.used.end()) == std::set<std::string>{keyText("AKIA-1")});
  CHECK(rig.grants().empty());
}

TEST_CASE("a plain key is a grant as well; the unit keeps only a mask") {
  KeyRig rig;
  REQUIRE(rig.add(rig.newVc(), kPlain).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(rig.used == std::vector<std::string>{keyText("PLAIN-KEY")});
  const std::string params = openCci(rig.sealer, rig.unit())->cloud_params;
  CHECK(params.find("PLAIN-KEY") == std::string::npos);
  CHECK(params.find(kMask) != std::string::npos);
}

TEST_CASE("a reference that cannot be read is refused before anything exists") {
  KeyRig rig;
  const std::string vcid = rig.newVc();
  const Status refused = rig.add(vcid, kByReference);
  CHECK(refused.code() == Code::kPermissionDenied);
  CHECK(refused.providerCode() == kVaultReadFailed);
  CHECK(refused.message().starts_with("s.test:cubbyhole/fake/access_key vault read is failed: "));
  CHECK(rig.unit().unit_id.empty());
  CHECK(rig.grants().empty());
}

TEST_CASE("a driver that quotes the key in its refusal does not give it away") {
  KeyRig rig;
  rig.keep(rig.caller.principal, "AKIA-SECRET");
  class Quoting final : public Interposer {
   public:
    explicit Quoting(std::shared_ptr<Driver> lower) : Interposer(std::move(lower)) {}

   private:
    DriverAnswer intercept(const DriverRequest& request) override {
      if (request.call != DriverCall::kValidate) return passOn(request);
      DriverAnswer answer;
      answer.status = invalidArgument("/cloud_params: cannot use " + *request.spec);
      return answer;
    }
  };
  rig.registry.replace(std::make_shared<Quoting>(rig.driver));
  const Status refused = rig.add(rig.newVc(), kByReference);
  CHECK(refused.code() == Code::kInvalidArgument);
  CHECK(refused.message().find("AKIA-SECRET") == std::string::npos);
  CHECK(refused.message().find("***") != std::string::npos);
}

TEST_CASE("the token is revoked while the unit boots: it still gets there, and away again") {
  KeyRig rig;
  REQUIRE(ensureNobody(*rig.store).ok());
  const std::string token = createToken(*rig.store, rig.random, {})->reveal();
  rig.caller.principal = authenticate(*rig.store, token).value();
  rig.keep(rig.caller.principal, "AKIA-1");
  rig.driver->boots_as = MachineState::kProvisioning;
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kByReference).ok());
  REQUIRE(rig.runUntil([&] { return rig.driver->cloud.size() == 1; }));
  REQUIRE(revokeToken(*rig.store, token).ok());
  rig.driver->cloud.begin()->second.state = MachineState::kRunning;
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.driver->cloud.empty());
}

TEST_CASE("the next call after a rotation uses the new key, also after a crash") {
  KeyRig rig;
  rig.keep(rig.caller.principal, "AKIA-OLD");
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kByReference).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  rig.keep(rig.caller.principal, "AKIA-NEW");
  rig.crash();
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(rig.used == std::vector<std::string>{keyText("AKIA-OLD"), keyText("AKIA-NEW")});
}

TEST_CASE("purged credentials are a condition: nothing is lost, nothing is forgotten") {
  KeyRig rig;
  REQUIRE(ensureNobody(*rig.store).ok());
  const std::string token = createToken(*rig.store, rig.random, {})->reveal();
  rig.caller.principal = authenticate(*rig.store, token).value();
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kPlain).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  CHECK(revokeToken(*rig.store, token, true).value() == 1);
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  CHECK_FALSE(rig.runUntil([&] { return !rig.hasVc(vcid); }, 600'000));
  CHECK(rig.driver->cloud.size() == 1);
  REQUIRE(rig.machines().size() == 1);
  CHECK(rig.nodes().front().fault.text.find("were purged with their token") != std::string::npos);
}

TEST_CASE("whoever adds nodes uses their own keys, or is refused") {
  KeyRig rig;
  REQUIRE(ensureNobody(*rig.store).ok());
  REQUIRE(addUser(*rig.store, "mori", UserRole::kRegular).ok());
  rig.keep(rig.caller.principal, "AKIA-NOBODY");
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kByReference).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  const std::string first = rig.grants().front().grant_id;

  // Another token of the same user: what is there.
  Caller same = rig.caller;
  same.principal.token_hash = "another";
  REQUIRE(rig.commands->addNodes(same, vcid, "web", {}).ok());
  CHECK(rig.grants().size() == 1);
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 2; }));

  REQUIRE(rig.commands->changeOwner(rig.caller, vcid, "mori").ok());
  Caller mori{.principal = {.user = "mori", .token_head = "s.mori", .token_hash = "hash-of-mori"}};
  CHECK(rig.commands->addNodes(mori, vcid, "web", {}).providerCode() == kVaultReadFailed);
  CHECK(rig.nodes().size() == 2);
  rig.keep(mori.principal, "AKIA-MORI");
  REQUIRE(rig.commands->addNodes(mori, vcid, "web", {}).ok());
  CHECK(rig.grants().size() == 2);
  CHECK(rig.unit().grant_id != first);
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 3; }));
  CHECK(rig.used == std::vector<std::string>{keyText("AKIA-NOBODY"), keyText("AKIA-NOBODY"), keyText("AKIA-MORI")});

  // Each machine goes with the key that made it.
  rig.used.clear();
  REQUIRE(rig.commands->deleteVc(mori, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  CHECK(std::multiset<std::string>(rig.used.begin(), rig.used.end()) ==
        std::multiset<std::string>{keyText("AKIA-NOBODY"), keyText("AKIA-NOBODY"), keyText("AKIA-MORI")});
  CHECK(rig.grants().empty());
}

TEST_CASE("plain keys of somebody else are never used") {
  KeyRig rig;
  REQUIRE(ensureNobody(*rig.store).ok());
  REQUIRE(addUser(*rig.store, "mori", UserRole::kRegular).ok());
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kPlain).ok());
  REQUIRE(rig.commands->changeOwner(rig.caller, vcid, "mori").ok());
  const Caller mori{.principal = {.user = "mori", .token_head = "s.mori", .token_hash = "hash-of-mori"}};
  CHECK(rig.commands->addNodes(mori, vcid, "web", {}).providerCode() == kVaultReadFailed);
  Caller super = mori;
  super.privileged = true;
  CHECK(rig.commands->addNodes(super, vcid, "web", {}).ok());
}

TEST_CASE("the process dies between any two writes: no half a grant, no unit without its grant") {
  for (std::size_t flush = 1; flush <= 12; ++flush) {
    for (const CrashPoint point : {CrashPoint::kBeforeSync, CrashPoint::kAfterSync}) {
      KeyRig rig;
      rig.keep(rig.caller.principal, "AKIA-1");
      const std::string vcid = rig.newVc();
      rig.faults->crashAtFlush(flush, point);
      const bool accepted = rig.add(vcid, kByReference).ok();
      rig.runUntil([&] { return rig.count(State::kRunning) == 1; }, 60'000);
      rig.crash();
      const Unit unit = rig.unit();
      if (unit.unit_id.empty()) {
        CHECK_FALSE(accepted);
        CHECK(rig.grants().empty());
        continue;
      }
      REQUIRE(rig.grants().size() == 1);
      CHECK(unit.grant_id == rig.grants().front().grant_id);
      CHECK(openGrant(rig.grants().front(), rig.sealer)->reveal() == keyText("AKIA-1"));
      CHECK(openCci(rig.sealer, unit).ok());
      REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
      REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
      REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
      CHECK(rig.driver->cloud.empty());
      CHECK(rig.grants().empty());
    }
  }
}

TEST_CASE("where the cloud can be listed, a grant outlives its machines for one clean sweep") {
  KeyRig rig;
  rig.driver->facts.can_list = true;
  rig.driver->facts.settle_ms = 5000;
  rig.keep(rig.caller.principal, "AKIA-1");
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kByReference).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));

  rig.driver->list_error = unavailable("the cloud is down");
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  REQUIRE(rig.grants().size() == 1);
  rig.runUntil([] { return false; }, 7200000);
  CHECK(rig.grants().size() == 1);
  CHECK(rig.driver->list_calls > 0);
  rig.driver->list_error = okStatus();
  rig.driver->cloud["vcp-01234567-000000000000000000aa"] = {.id = "i-late"};  // what somebody asked for comes late
  rig.decider->sweepNow();
  rig.runUntil([] { return false; }, 20000);
  CHECK(rig.grants().size() == 1);
  rig.driver->cloud.clear();
  REQUIRE(rig.runUntil([&] { return rig.grants().empty(); }, 2 * 7200000));
  rig.store->read([&](const ReadTx& tx) { CHECK(tx.sweepPlaces().size() == 0); });
}

TEST_CASE("purged credentials are wiped at once, and their place is not waited for") {
  KeyRig rig;
  rig.driver->facts.can_list = true;
  rig.driver->list_error = unavailable("the cloud is down");
  rig.keep(rig.caller.principal, "AKIA-1");
  const std::string vcid = rig.newVc();
  REQUIRE(rig.add(vcid, kByReference).ok());
  REQUIRE(rig.runUntil([&] { return rig.count(State::kRunning) == 1; }));
  REQUIRE(rig.commands->deleteVc(rig.caller, vcid, true).ok());
  REQUIRE(rig.runUntil([&] { return !rig.hasVc(vcid); }));
  REQUIRE(rig.store->transact([&](Tx& tx) { return purgeGrants(tx, "hash-of-nobody").status(); }).ok());
  CHECK(rig.grants().front().values.empty());
  REQUIRE(rig.runUntil([&] { return rig.grants().empty(); }, 120000));
}

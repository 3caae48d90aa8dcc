// SPDX-License-Identifier: Apache-2.0
#include "secrets/grants.h"

#include "support/secret_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr char kNamed[] = R"({"access_key":"vault://cubbyhole/aws/access_key","secret_key":"plain-key","zone":null})";

/// A user with a token that has an access key in its cubbyhole.
Principal keyHolder(SecretRig& rig, const std::string& value = "AKIA1") {
  const Principal who = rig.principal();
  REQUIRE(rig.write(who, "cubbyhole/aws/access_key", R"({"value":")" + value + "\"}").ok());
  return who;
}

std::string valuesOf(const SecretRig& rig, const std::string& grant_id) {
  const auto values = openGrant(rig.grantOf(grant_id), rig.sealer);
  return values.ok() ? values->reveal() : std::string(codeName(values.status().code()));
}

/// Another user than nobody.
Principal stranger(SecretRig& rig) {
  REQUIRE(addUser(*rig.store, "mori", UserRole::kRegular).ok());
  return rig.principal({.user = "mori"});
}

}  // namespace

TEST_CASE("references become values with the caller's token") {
  SecretRig rig;
  const Principal who = keyHolder(rig);
  const auto credentials = resolveCredentials(*rig.store, rig.sealer, who, kNamed);
  REQUIRE_MESSAGE(credentials.ok(), credentials.status().toString());
  CHECK(credentials->values.reveal() == R"({"access_key":"AKIA1","secret_key":"plain-key","zone":null})");
  CHECK(credentials->references == R"({"access_key":"cubbyhole/aws/access_key"})");
  CHECK(credentials->fingerprint.size() == 32);
  CHECK(resolveCredentials(*rig.store, rig.sealer, who, kNamed)->fingerprint == credentials->fingerprint);
}

TEST_CASE("a reference that cannot be read is refused with the known exception") {
  SecretRig rig;
  const Principal who = keyHolder(rig);
  const Principal other = rig.principal();  // of the same user, with an empty cubbyhole
  REQUIRE(rig.write(who, "cubbyhole/odd", R"({"key":"x","value":{"a":"b"}})").ok());
  const auto refusal = [&](const Principal& caller, const std::string& reference) {
    const auto got =
        resolveCredentials(*rig.store, rig.sealer, caller, R"({"k":"vault://)" + reference + "\"}").status();
    CHECK(got.code() == Code::kPermissionDenied);
    CHECK(got.providerCode() == kVaultReadFailed);
    CHECK(got.message().starts_with(caller.token_head + ":" + reference + " vault read is failed: "));
    return got.message();
  };
  refusal(other, "cubbyhole/aws/access_key");
  refusal(who, "cubbyhole/aws/nothing");
  refusal(who, "kv/aws");
  refusal(who, "cubbyhole");
  refusal(who, "cubbyhole/../x");
  CHECK(refusal(who, "cubbyhole/odd").find("\"value\"") != std::string::npos);
}

TEST_CASE("a grant is sealed, bound to its row, and says nothing in clear") {
  SecretRig rig;
  const Principal who = keyHolder(rig);
  const std::string id = rig.grant(who, resolveCredentials(*rig.store, rig.sealer, who, kNamed).value());
  const Grant grant = rig.grantOf(id);
  CHECK(grant.owner == "nobody");
  CHECK(grant.token_hash == who.token_hash);
  for (const std::string& field : {grant.values, grant.references, grant.fingerprint}) {
    CHECK(field.find("AKIA1") == std::string::npos);
    CHECK(field.find("plain-key") == std::string::npos);
  }
  CHECK(valuesOf(rig, id) == R"({"access_key":"AKIA1","secret_key":"plain-key","zone":null})");
  Grant moved = grant;
  moved.grant_id = "0123";
  CHECK(openGrant(moved, rig.sealer).status().code() == Code::kDataLoss);
  moved = grant;
  moved.owner = "mori";
  CHECK(openGrant(moved, rig.sealer).status().code() == Code::kDataLoss);
}

TEST_CASE("a new value at the path that a grant came from reaches the grant") {
  SecretRig rig;
  const Principal who = keyHolder(rig);
  const Principal other = keyHolder(rig, "AKIA-OTHER");
  const std::string named = R"({"access_key":"vault://cubbyhole/aws/access_key","site":"vault://secret/site"})";
  REQUIRE(rig.write(other, "secret/site", R"({"value":"S1"})").ok());
  const std::string id = rig.grant(who, resolveCredentials(*rig.store, rig.sealer, who, named).value());
  const std::string before = rig.grantOf(id).fingerprint;

  REQUIRE(rig.write(who, "cubbyhole/aws/access_key", R"({"value":"AKIA2"})").ok());
  CHECK(valuesOf(rig, id) == R"({"access_key":"AKIA2","site":"S1"})");
  CHECK(rig.grantOf(id).fingerprint != before);
  REQUIRE(rig.write(other, "cubbyhole/aws/access_key", R"({"value":"AKIA3"})").ok());
  CHECK(valuesOf(rig, id) == R"({"access_key":"AKIA2","site":"S1"})");
  REQUIRE(rig.write(other, "secret/site", R"({"value":"S2"})").ok());
  CHECK(valuesOf(rig, id) == R"({"access_key":"AKIA2","site":"S2"})");
  REQUIRE(rig.write(who, "cubbyhole/aws/access_key", R"({"note":"nothing to use"})").ok());
  CHECK(valuesOf(rig, id) == R"({"access_key":"AKIA2","site":"S2"})");
  REQUIRE(rig.secrets.remove(who, parseSecretPath("cubbyhole/aws/access_key").value()).ok());
  CHECK(valuesOf(rig, id) == R"({"access_key":"AKIA2","site":"S2"})");
}

TEST_CASE("who asks for more machines uses what their own token reads") {
  SecretRig rig;
  const Principal who = keyHolder(rig);
  const Principal friend_of_same_user = rig.principal();
  const Principal other_user = stranger(rig);
  const std::string named = R"({"access_key":"vault://cubbyhole/aws/access_key"})";
  const Grant grant = rig.grantOf(rig.grant(who, resolveCredentials(*rig.store, rig.sealer, who, named).value()));
  bool reused = true;
  const auto renew = [&](const Principal& caller, bool may_reuse) {
    const auto renewed = renewCredentials(*rig.store, rig.sealer, caller, grant, may_reuse, reused);
    return renewed.ok() ? renewed->values.reveal() : renewed.status().providerCode();
  };
  CHECK(renew(who, false) == R"({"access_key":"AKIA1"})");
  CHECK_FALSE(reused);
  // The same user with a token that cannot read it: what is there.
  CHECK(renew(friend_of_same_user, false) == R"({"access_key":"AKIA1"})");
  CHECK(reused);
  CHECK(renew(other_user, false) == kVaultReadFailed);
  CHECK(renew(other_user, true) == R"({"access_key":"AKIA1"})");
  CHECK(reused);
  REQUIRE(rig.write(other_user, "cubbyhole/aws/access_key", R"({"value":"AKIA-MORI"})").ok());
  CHECK(renew(other_user, false) == R"({"access_key":"AKIA-MORI"})");
  CHECK_FALSE(reused);
}

TEST_CASE("plain credentials serve only the user who brought them") {
  SecretRig rig;
  const Principal who = keyHolder(rig);
  const Principal other_user = stranger(rig);
  const Grant grant = rig.grantOf(rig.grant(who, resolveCredentials(*rig.store, rig.sealer, who, kNamed).value()));
  REQUIRE(rig.write(other_user, "cubbyhole/aws/access_key", R"({"value":"AKIA-MORI"})").ok());
  bool reused = false;
  CHECK(renewCredentials(*rig.store, rig.sealer, other_user, grant, false, reused).status().providerCode() ==
        kVaultReadFailed);
  CHECK(renewCredentials(*rig.store, rig.sealer, who, grant, false, reused).ok());
}

TEST_CASE("a revoked token's grants live on, unless they are purged") {
  SecretRig rig;
  const std::string token = rig.token();
  const Principal who = authenticate(*rig.store, token).value();
  const std::string id = rig.grant(who, resolveCredentials(*rig.store, rig.sealer, who, R"({"k":"plain"})").value());
  const std::string second = rig.token();
  const Principal again = authenticate(*rig.store, second).value();
  const std::string leaked =
      rig.grant(again, resolveCredentials(*rig.store, rig.sealer, again, R"({"k":"leaked"})").value());
  CHECK(revokeToken(*rig.store, token).value() == 0);
  CHECK(valuesOf(rig, id) == R"({"k":"plain"})");
  CHECK(revokeToken(*rig.store, second, true).value() == 1);
  CHECK(valuesOf(rig, leaked) == "UNAUTHENTICATED");
  CHECK(rig.grantOf(leaked).values.empty());
  CHECK(valuesOf(rig, id) == R"({"k":"plain"})");
}

TEST_CASE("a grant goes with the last record that points at it") {
  SecretRig rig;
  const Principal who = rig.principal();
  const std::string id = rig.grant(who, resolveCredentials(*rig.store, rig.sealer, who, R"({"k":"plain"})").value());
  const auto change = [&](const std::function<void(Tx&)>& body) {
    REQUIRE(rig.store
                ->transact([&](Tx& tx) -> Status {
                  body(tx);
                  dropGrantIfUnused(tx, id);
                  return okStatus();
                })
                .ok());
    return !rig.grantOf(id).grant_id.empty();
  };
  CHECK(change([&](Tx& tx) {
    CHECK(tx.vcs().put(Vc{.vcid = "v"}).ok());
    CHECK(tx.units().put(Unit{.unit_id = "u", .vcid = "v", .name = "web", .grant_id = id}).ok());
    CHECK(tx.nodes().put(Node{.node_id = "n", .vcid = "v", .unit_id = "u"}).ok());
    CHECK(tx.machines()
              .put(Machine{.machine_id = "m", .node_id = "n", .unit_id = "u", .vcid = "v", .name = "x", .grant_id = id})
              .ok());
  }));
  CHECK(change([](Tx& tx) { tx.machines().erase("m"); }));
  CHECK_FALSE(change([](Tx& tx) {
    tx.nodes().erase("n");
    tx.units().erase("u");
  }));
}

// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "secrets/master_key.h"
#include "secrets/sealed_records.h"
#include "support/secret_rig.h"
#include "support/temp_dir.h"

using namespace vcc;
using namespace vcc::test;

TEST_CASE("a data folder of step 3 opens with its master key, and so does everything sealed in it") {
  const std::string fixture = std::string(VCC_SOURCE_DIR) + "/tests/fixtures/data/step-3/";
  const TempDir dir;
  std::filesystem::copy_file(fixture + kDatabaseName, dir.file(kDatabaseName));
  const FakeClock clock;
  InlineExecutor executor;
  NullLogger log;
  SystemRandom random;
  PosixFileSystem files;
  REQUIRE(files.writeAtomic(dir.file("master.key"), files.read(fixture + "master.key", 100).value(), 0600).ok());
  const auto store = openStore(dir.path(), files, clock, executor, log);
  REQUIRE_MESSAGE(store.ok(), store.status().toString());
  const auto sealer = openSealer(**store, files, random, {.file = dir.file("master.key")}, dir.path() + "/data");
  REQUIRE_MESSAGE(sealer.ok(), sealer.status().toString());
  CHECK(sealOldRecords(**store, **sealer).value() == 0);
  (*store)->read([&](const ReadTx& tx) {
    CHECK(tx.units().size() == 3);
    CHECK(tx.grants().size() == 3);
    CHECK(tx.secrets().size() == 2);
    tx.units().scan([&](const Unit& unit) {
      const auto cci = openCci(**sealer, unit);
      REQUIRE_MESSAGE(cci.ok(), cci.status().toString());
      CHECK(cci->name == unit.name);
      const Grant* grant = tx.grants().find(unit.grant_id);
      REQUIRE(grant != nullptr);
      CHECK(openGrant(*grant, **sealer)->reveal() == R"({"access_key":"fixture-key"})");
      return true;
    });
    tx.requests().scan([&](const Request& request) {
      CHECK(openRequest(**sealer, request).ok());
      return true;
    });
  });
}

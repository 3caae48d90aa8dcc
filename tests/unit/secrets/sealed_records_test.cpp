// SPDX-License-Identifier: Apache-2.0
#include "secrets/sealed_records.h"

#include <filesystem>

#include "support/secret_rig.h"
#include "support/temp_dir.h"

using namespace vcc;
using namespace vcc::test;

namespace {

std::vector<Unit> unitsOf(const Store& store) {
  std::vector<Unit> all;
  store.read([&](const ReadTx& tx) {
    tx.units().scan([&](const Unit& unit) {
      all.push_back(unit);
      return true;
    });
  });
  return all;
}

}  // namespace

TEST_CASE("a CCI is sealed for its unit alone") {
  const SecretRig rig;
  UnitCci cci;
  cci.name = "web";
  cci.environment = {"MUNGE_KEY=hunter2"};
  Unit unit{.unit_id = "u1"};
  unit.spec = sealCci(rig.sealer, unit.unit_id, cci);
  CHECK(unit.spec.find("hunter2") == std::string::npos);
  CHECK(openCci(rig.sealer, unit).value() == cci);
  unit.unit_id = "u2";
  CHECK(openCci(rig.sealer, unit).status().code() == Code::kDataLoss);
  unit.spec = toJson(cci);
  CHECK(openCci(rig.sealer, unit).status().code() == Code::kDataLoss);
}

TEST_CASE("units of a data folder of step 1 are sealed at the first start, once") {
  const TempDir dir;
  std::filesystem::copy_file(std::string(VCC_SOURCE_DIR) + "/tests/fixtures/data/step-1/vcc.db",
                             dir.file(kDatabaseName));
  SecretRig rig;
  PosixFileSystem files;
  const auto store = openStore(dir.path(), files, rig.clock, rig.executor, rig.log);
  REQUIRE_MESSAGE(store.ok(), store.status().toString());
  std::size_t requests = 0;
  (*store)->read([&](const ReadTx& tx) { requests = tx.requests().size(); });
  REQUIRE(requests > 0);
  CHECK(sealOldRecords(**store, rig.sealer).value() == static_cast<std::int64_t>(3 + requests));
  CHECK(sealOldRecords(**store, rig.sealer).value() == 0);
  const std::vector<Unit> units = unitsOf(**store);
  REQUIRE(units.size() == 3);
  for (const Unit& unit : units) {
    const auto cci = openCci(rig.sealer, unit);
    REQUIRE_MESSAGE(cci.ok(), cci.status().toString());
    CHECK(cci->name == unit.name);
  }
  (*store)->read([&](const ReadTx& tx) {
    tx.requests().scan([&](const Request& request) {
      CHECK(openRequest(rig.sealer, request)->reveal().starts_with("{\"spec\":"));
      return true;
    });
  });
}

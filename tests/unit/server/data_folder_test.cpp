// SPDX-License-Identifier: Apache-2.0
#include "server/data_folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/executor.h"
#include "server/catalog_file.h"
#include "store/open_store.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"
#include "support/text.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct Rig {
  TempDir dir;
  PosixFileSystem files;
  FakeClock clock;
  NullLogger log;
  InlineExecutor writer;
  SeededRandom random{3};
};

}  // namespace

TEST_CASE("the folder is made closed; one that others may write to is refused") {
  Rig rig;
  const std::string folder = rig.dir.file("a/data");
  REQUIRE(openDataFolder(rig.files, folder).ok());
  struct stat info {};
  REQUIRE(::stat(folder.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700U);
  CHECK(openDataFolder(rig.files, folder).ok());
  REQUIRE(::chmod(folder.c_str(), 0777) == 0);
  const Status open = openDataFolder(rig.files, folder);
  CHECK(open.code() == Code::kFailedPrecondition);
  CHECK(contains(open.message(), "chmod 700 " + folder));
}

TEST_CASE("a second controller is told who is there") {
  Rig rig;
  const DataPaths paths(rig.dir.path());
  const auto first = lockDataFolder(rig.files, paths);
  REQUIRE(first.ok());
  REQUIRE(rig.files.makeDirs(paths.run(), 0700).ok());
  REQUIRE(rig.files.writeAtomic(paths.runFile(), "{\"pid\":4711}", 0600).ok());
  const auto second = lockDataFolder(rig.files, paths);
  REQUIRE_FALSE(second.ok());
  CHECK(second.status().code() == Code::kFailedPrecondition);
  CHECK(contains(second.status().message(), paths.lock()));
  CHECK(contains(second.status().message(), "4711"));
  CHECK(contains(second.status().message(), "stop that one first"));
}

TEST_CASE("the stamp is written once and for ever") {
  Rig rig;
  std::string vcc_id;
  {
    const auto store = openStore(rig.dir.path(), rig.files, rig.clock, rig.writer, rig.log);
    REQUIRE(store.ok());
    const auto stamp = stampFolder(**store, rig.random, rig.dir.path(), true, true);
    REQUIRE(stamp.ok());
    CHECK(stamp->fresh);
    CHECK(stamp->evaluation);
    CHECK(isId(stamp->vcc_id));
    vcc_id = stamp->vcc_id;
  }
  const auto store = openStore(rig.dir.path(), rig.files, rig.clock, rig.writer, rig.log);
  REQUIRE(store.ok());
  const auto again = stampFolder(**store, rig.random, rig.dir.path(), true, true);
  REQUIRE(again.ok());
  CHECK_FALSE(again->fresh);
  CHECK(again->vcc_id == vcc_id);
  const auto other = stampFolder(**store, rig.random, rig.dir.path(), false, true);
  REQUIRE_FALSE(other.ok());
  CHECK(contains(other.status().message(), "made as an evaluation folder"));
  CHECK(stampFolder(**store, rig.random, rig.dir.path(), false, false)->evaluation);
}

TEST_CASE("a bad catalog keeps the present one") {
  Rig rig;
  const std::string path = rig.dir.file("vpn_catalog.yml");
  REQUIRE(
      rig.files
          .writeAtomic(path, "cci_version: '1.0'\nmock:\n  default:\n    private_network_ipmask: 10.0.0.0/24\n", 0600)
          .ok());
  CatalogFile catalog(rig.files, rig.log, path);
  CHECK(catalog.get()->providers().empty());
  REQUIRE(catalog.load().ok());
  const auto good = catalog.get();
  CHECK(good->providers() == std::vector<std::string>{"mock"});
  REQUIRE(rig.files.writeAtomic(path, "mock: [", 0600).ok());
  CHECK_FALSE(catalog.load().ok());
  CHECK(catalog.get() == good);
}

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/encoding.h"
#include "plugin_host/refusals.h"
#include "rig.h"
#include "vcp/plugin/abi.h"

using namespace vcc;
using test::Rig;

namespace {

/// Loads one plugin that must be refused under `id`, beside mock, which must load all the same.
void checkRefused(const std::string& name, const std::string& id, const std::string& text) {
  CAPTURE(name);
  Rig rig;
  rig.plain(name);
  rig.plain("mock");
  REQUIRE(rig.load().ok());
  const DriverSlot& slot = rig.slot(name);
  CAPTURE(slot.refusal.message());
  CHECK(slot.driver == nullptr);
  CHECK(slot.refusal_id == id);
  CHECK(slot.refusal.message().find(text) != std::string::npos);
  CHECK(slot.refusal.message().find(name) != std::string::npos);
  CHECK(rig.log.count(id) == 1);
  CHECK_FALSE(remedyFor(id).empty());
  CHECK(rig.registry->byProvider(name) == &slot);  // requests can be told why
  CHECK(rig.slot("mock").driver != nullptr);
}

}  // namespace

TEST_CASE("loader: the drivers of the product") {
  Rig rig;
  rig.plain("mock");
  rig.plain("onpremises");
  REQUIRE(rig.load().ok());
  CHECK(rig.registry->slots().size() == 2);
  CHECK(rig.log.count("PLUGIN_LOADED") == 2);

  const DriverInfo& mock = rig.driver("mock").info();
  CHECK(mock.id == "jp.ac.nii.vcp.mock");
  CHECK(mock.provider == "mock");
  CHECK(mock.abi == VCP_ABI_VERSION);
  CHECK(mock.version == "1.0+20261129");
  CHECK(mock.idempotency == Idempotency::kToken);
  CHECK(mock.existence == Existence::kObserved);
  CHECK(mock.max_batch == 50);
  CHECK(mock.can_power);
  CHECK(mock.can_list);
  CHECK(mock.simulated_hosts);
  CHECK(mock.secret_keys == std::vector<std::string>{"access_key"});
  CHECK(mock.clear_keys.size() == 6);

  const DriverInfo& servers = rig.driver("onpremises").info();
  CHECK(servers.existence == Existence::kAsserted);
  CHECK_FALSE(servers.can_power);
  CHECK_FALSE(servers.can_list);
  CHECK_FALSE(servers.simulated_hosts);
  CHECK(servers.secret_keys.empty());
  CHECK(rig.registry->byProvider("onpremises")->instance == "onpremises");
  CHECK(rig.registry->byProvider("aws") == nullptr);
}

TEST_CASE("loader: what a driver offers besides its table is known") {
  Rig rig;
  rig.plain("offers_disk");
  rig.plain("good");
  REQUIRE(rig.load().ok());
  CHECK(rig.driver("offers_disk").info().extensions == std::vector<std::string>{"vcp.disk/1"});
  CHECK(rig.driver("good").info().extensions.empty());
}

TEST_CASE(
    "loader: disks under the id of their draft are taken in this release still, and only where there is no other") {
  Rig rig;
  rig.plain("offers_draft_disk");
  rig.plain("offers_both_disks");
  REQUIRE(rig.load().ok());
  CHECK(rig.driver("offers_draft_disk").info().extensions == std::vector<std::string>{"draft.vcp.disk/1"});
  CHECK(rig.driver("offers_draft_disk").info().offers_disks);
  CHECK(rig.driver("offers_draft_disk").validateDisks("{}", "{}").ok());
  CHECK(rig.driver("offers_both_disks").info().extensions == std::vector<std::string>{"vcp.disk/1"});
  CHECK(rig.driver("offers_both_disks").validateDisks("{}", "{}").ok());
}

TEST_CASE("loader: each defect has its own log id, and never stops the rest") {
  checkRefused("no_symbol", "PLUGIN_SYMBOL_MISSING", "vcp_plugin_v0");
  checkRefused("wrong_magic", "PLUGIN_MAGIC_BAD", "magic");
  checkRefused("wrong_major", "PLUGIN_ABI_REFUSED", ", this controller speaks " VCP_ABI_VERSION);
  checkRefused("next_minor", "PLUGIN_ABI_REFUSED", ", this controller speaks " VCP_ABI_VERSION);
  checkRefused("short_entry", "PLUGIN_TABLE_SHORT", "entry table");
  checkRefused("short_ops", "PLUGIN_TABLE_SHORT", "driver table");
  checkRefused("null_op", "PLUGIN_REQUIRED_MISSING", "'create'");
  checkRefused("half_capability", "PLUGIN_REQUIRED_MISSING", "'power'");
  checkRefused("half_disk", "PLUGIN_EXTENSION_HALF", "vcp.disk/1 without function 'detach'");
  checkRefused("short_disk", "PLUGIN_EXTENSION_HALF", "without the end of its table");
  checkRefused("disk_needs_unsaid", "PLUGIN_EXTENSION_HALF", "without attach_needs");
  checkRefused("half_spot", "PLUGIN_EXTENSION_HALF", "draft.vcp.spot/1 without function 'notices'");
  checkRefused("bad_descriptor", "PLUGIN_DESCRIPTOR_BAD", "reverse DNS");
  checkRefused("undefined_symbol", "PLUGIN_OPEN_FAILED", "function_that_nobody_has");
  checkRefused("long_vendor", "PLUGIN_DESCRIPTOR_BAD", "vendor");
  checkRefused("init_fails", "PLUGIN_INIT_FAILED", "no");
  checkRefused("init_throws", "PLUGIN_INIT_FAILED", "init failed");
  checkRefused("open_fails", "PLUGIN_OPEN_DRIVER_FAILED", "open_driver");
  checkRefused("bad_schema", "PLUGIN_SCHEMA_BAD", "schema");
}

TEST_CASE("loader: files that are no plugins, and files that others could change") {
  Rig rig;
  const std::string folder = rig.dir.file("plugins");
  std::filesystem::create_directory(folder);
  rig.config.plugin_dirs = {folder};
  const std::string good = VCC_BUILD_DIR "/bad_plugins/good.so";
  std::ofstream(folder + "/text.so") << "not an ELF file\n";
  std::filesystem::copy_file(good, folder + "/writable.so");
  ::chmod((folder + "/writable.so").c_str(), 0666);
  std::filesystem::create_symlink(good, folder + "/link.so");
  std::filesystem::create_directory(folder + "/folder.so");
  std::filesystem::copy_file(good, folder + "/good.so");
  for (const char* name : {"text", "writable", "link", "folder", "good"}) rig.plain(name);
  rig.provider("absent.yml", "plugin: nowhere.so\n");
  rig.provider("path.yml", "plugin: ../plugins/good.so\n");
  rig.provider("hidden.yml", "plugin: .good.so\n");
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("text").refusal_id == "PLUGIN_OPEN_FAILED");
  CHECK(rig.slot("writable").refusal_id == "PLUGIN_MODE_REFUSED");
  CHECK(rig.slot("link").refusal_id == "PLUGIN_PATH_REFUSED");
  CHECK(rig.slot("folder").refusal_id == "PLUGIN_PATH_REFUSED");
  CHECK(rig.slot("absent").refusal_id == "PLUGIN_PATH_REFUSED");
  CHECK(rig.slot("path").refusal_id == "PLUGIN_PATH_REFUSED");
  CHECK(rig.slot("hidden").refusal_id == "PLUGIN_PATH_REFUSED");
  CHECK(rig.slot("good").driver != nullptr);
}

TEST_CASE("loader: a folder that everybody may write to is refused") {
  Rig rig;
  const std::string folder = rig.dir.file("plugins");
  std::filesystem::create_directory(folder);
  std::filesystem::copy_file(VCC_BUILD_DIR "/bad_plugins/good.so", folder + "/good.so");
  ::chmod(folder.c_str(), 0777);
  rig.config.plugin_dirs = {folder};
  rig.plain("good");
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("good").refusal_id == "PLUGIN_MODE_REFUSED");
}

TEST_CASE("loader: so is a folder in one that everybody may write to, unless it is sticky") {
  for (const ::mode_t mode : {0777U, 01777U}) {
    Rig rig;
    const std::string above = rig.dir.file("above");
    std::filesystem::create_directories(above + "/plugins");
    std::filesystem::copy_file(VCC_BUILD_DIR "/bad_plugins/good.so", above + "/plugins/good.so");
    ::chmod(above.c_str(), mode);
    rig.config.plugin_dirs = {above + "/plugins"};
    rig.plain("good");
    REQUIRE(rig.load().ok());
    CHECK(rig.slot("good").refusal_id == (mode == 0777U ? "PLUGIN_MODE_REFUSED" : ""));
  }
}

TEST_CASE("loader: a pinned hash must match") {
  std::ifstream file(VCC_BUILD_DIR "/bad_plugins/good.so", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Rig right;
  right.provider("good.yml", "plugin: good.so\nsha256: " + hexEncode(sha256(bytes)) + "\n");
  REQUIRE(right.load().ok());
  CHECK(right.slot("good").driver != nullptr);

  Rig wrong;
  wrong.provider("good.yml", "plugin: good.so\nsha256: " + std::string(64, '0') + "\n");
  REQUIRE(wrong.load().ok());
  CHECK(wrong.slot("good").refusal_id == "PLUGIN_HASH_MISMATCH");
}

TEST_CASE("loader: duplicates of a name, a provider and an id") {
  Rig rig;
  rig.plain("good");
  rig.provider("n.yml", "name: good\nplugin: good.so\n");
  rig.provider("p.yml", "plugin: good.so\n");
  rig.provider("q.yml", "plugin: good.so\nproviders: [other]\n");
  rig.plain("same_id");
  REQUIRE(rig.load().ok());
  CHECK(rig.log.count("PLUGIN_DUPLICATE") == 3);
  CHECK(rig.slot("good").driver != nullptr);
  CHECK(rig.slot("p").refusal_id == "PLUGIN_DUPLICATE");
  CHECK(rig.slot("q").driver != nullptr);  // one file may serve several instances
  CHECK(rig.slot("same_id").refusal_id == "PLUGIN_DUPLICATE");
  CHECK(rig.registry->byProvider("good")->instance == "good");
  CHECK(rig.registry->byProvider("other")->instance == "q");
}

TEST_CASE("loader: simulated machines only in evaluation") {
  Rig rig;
  rig.config.evaluation = false;
  rig.plain("mock");
  rig.plain("onpremises");
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("mock").refusal_id == "PLUGIN_NOT_EVALUATION");
  CHECK(rig.slot("onpremises").driver != nullptr);
}

TEST_CASE("loader: broken files, disabled files, selection, critical ones") {
  Rig rig;
  rig.provider("broken.yml", "plugin: [\n");
  rig.provider("off.yml", "plugin: good.so\nenabled: false\n");
  rig.provider("note.txt", "not a provider\n");
  rig.provider("good.yml", "concurrency: 2\n");
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("broken").refusal_id == "PROVIDER_CONFIG_BAD");
  CHECK(rig.registry->byInstance("off") == nullptr);
  CHECK(rig.registry->slots().size() == 2);
  CHECK(rig.driver("good").info().concurrency == 2);

  Rig some;
  some.plain("good");
  some.plain("mock");
  some.config.only = {"mock"};
  REQUIRE(some.load().ok());
  CHECK(some.registry->slots().size() == 1);
  some.config.only = {"mock", "moon"};
  CHECK(some.load().code() == Code::kNotFound);

  Rig critical;
  critical.provider("x.yml", "plugin: no_symbol.so\ncritical: true\n");
  CHECK(critical.load().code() == Code::kFailedPrecondition);
  critical.provider("x.yml", "colour: red\ncritical: true\n");
  CHECK(critical.load().code() == Code::kInvalidArgument);

  Rig nowhere;
  nowhere.config.providers_dir += "/none";
  CHECK_FALSE(nowhere.load().ok());
}

TEST_CASE("loader: the samples in config/providers.d load as they are") {
  Rig rig;
  rig.config.providers_dir = VCC_SOURCE_DIR "/config/providers.d";
  rig.config.only = {"mock", "onpremises"};
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("mock").driver != nullptr);
  CHECK(rig.slot("onpremises").driver != nullptr);
}

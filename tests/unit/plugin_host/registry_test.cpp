// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/registry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/executor.h"
#include "plugin_host/catalog_origins.h"
#include "plugin_host/origin_policy.h"
#include "plugin_host/refusals.h"
#include "rig.h"

using namespace vcc;
using test::Rig;

namespace {

std::string contentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A rig with a plugin folder of its own.
struct LiveRig : Rig {
  LiveRig() {
    std::filesystem::create_directory(plugins = dir.file("plugins"));
    config.plugin_dirs = {plugins};
  }
  /// Installs a plugin of the build as an administrator should: under another name, then renamed.
  void install(const std::string& name, const std::string& as) const {
    std::filesystem::copy_file(VCC_BUILD_DIR "/bad_plugins/" + name + ".so", plugins + "/new");
    std::filesystem::rename(plugins + "/new", plugins + "/" + as + ".so");
  }
  /// good.so with an id of its own.
  void installCopy(const std::string& as, char letter) const {
    std::string bytes = contentOf(VCC_BUILD_DIR "/bad_plugins/good.so");
    const std::string id = "test.bad.good";
    for (std::size_t at = bytes.find(id); at != bytes.npos; at = bytes.find(id, at + 1)) {
      bytes[at + id.size() - 1] = letter;
    }
    std::ofstream(plugins + "/" + as + ".so", std::ios::binary) << bytes;
  }
  /// What became of the only instance of a file.
  DriverSlot loadOne(const std::string& name) {
    const Result<std::vector<DriverSlot>> outcomes = registry->load(name);
    CAPTURE(outcomes.status().message());
    REQUIRE(outcomes.ok());
    REQUIRE(outcomes->size() == 1);
    return outcomes->front();
  }

  std::string plugins;
};

Catalog catalogOf(const std::string& yaml) { return Catalog::parse(yaml).value(); }

/// Answers everything.
class Answering final : public HttpTransport {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    last_url = request.url;
    return HttpResponse{200, {}, "", 0};
  }
  std::string last_url;
};

const char* const kTable =
    "plugin: shows_config.so\noptions: {auth: password}\naliases:\n  mdx2:\n  abc: {enabled: false}\n"
    "  chameleon: {options: {auth: credential}}\n";

}  // namespace

TEST_CASE("registry: one good driver among every kind of bad one") {
  Rig rig;
  const std::vector<std::string> bad{"no_symbol",      "wrong_magic",      "wrong_major", "next_minor",
                                     "short_entry",    "short_ops",        "null_op",     "half_capability",
                                     "bad_descriptor", "undefined_symbol", "init_fails",  "open_fails",
                                     "bad_schema",     "half_disk",        "same_id",     "nowhere"};
  for (const std::string& name : bad) rig.plain(name);
  rig.plain("good");
  rig.provider("text.yml", "colour: red\n");
  REQUIRE(rig.load().ok());
  CHECK(rig.registry->slots().size() == bad.size() + 2);
  for (const DriverSlot* slot : rig.registry->slots()) {
    CAPTURE(slot->instance);
    CHECK((slot->driver != nullptr) == (slot->instance == "good"));
    CHECK(slot->refusal.ok() == (slot->driver != nullptr));
    CHECK(remedyFor(slot->refusal_id).empty() == (slot->driver != nullptr));
  }
}

TEST_CASE("registry: a new file is loaded while the server runs") {
  LiveRig rig;
  rig.install("good", "first");
  rig.provider("first.yml", "providers: [one]\n");
  REQUIRE(rig.load().ok());
  const DriverSlot* first = rig.registry->byProvider("one");
  REQUIRE(first != nullptr);

  rig.installCopy("second", 'x');
  rig.provider("second.yml", "providers: [two]\n");
  CHECK(rig.registry->byProvider("two") == nullptr);
  const DriverSlot outcome = rig.loadOne("second");
  CHECK(outcome.driver != nullptr);
  CHECK(outcome.file == "second.yml");
  CHECK(outcome.sha256.size() == 64);
  CHECK(rig.registry->byProvider("two")->driver == outcome.driver);
  CHECK(rig.registry->slots().size() == 2);
  CHECK(rig.registry->byProvider("one") == first);
  CHECK(rig.driver("second").info().id == "test.bad.goox");
}

TEST_CASE("registry: what was refused before it was mapped can be mended; its old slot stays good") {
  LiveRig rig;
  rig.provider("good.yml", "colour: red\n");
  REQUIRE(rig.load().ok());
  const DriverSlot* bad_settings = rig.registry->byProvider("good");
  CHECK(bad_settings->refusal_id == "PROVIDER_CONFIG_BAD");

  rig.plain("good");
  CHECK(rig.loadOne("good").refusal_id == "PLUGIN_PATH_REFUSED");
  const DriverSlot* no_file = rig.registry->byProvider("good");
  CHECK(no_file != bad_settings);
  std::ofstream(rig.plugins + "/good.so") << "no library\n";
  CHECK(rig.loadOne("good").refusal_id == "PLUGIN_OPEN_FAILED");
  rig.install("undefined_symbol", "good");
  CHECK(rig.loadOne("good").refusal_id == "PLUGIN_OPEN_FAILED");
  rig.install("good", "good");
  CHECK(rig.loadOne("good").driver != nullptr);
  CHECK(rig.registry->byProvider("good")->driver != nullptr);
  CHECK(rig.registry->slots().size() == 1);
  CHECK(bad_settings->refusal_id == "PROVIDER_CONFIG_BAD");
  CHECK(no_file->refusal_id == "PLUGIN_PATH_REFUSED");
}

TEST_CASE("registry: what is loaded is never replaced") {
  LiveRig rig;
  rig.install("good", "good");
  rig.plain("good");
  REQUIRE(rig.load().ok());
  const DriverSlot* loaded = rig.registry->byProvider("good");
  rig.installCopy("other", 'x');
  rig.provider("good.yml", "plugin: other.so\n");
  const DriverSlot again = rig.loadOne("good");
  CHECK(again.refusal_id == "PLUGIN_NEEDS_RESTART");
  CHECK(again.refusal.message().find("restart") != std::string::npos);
  CHECK(rig.registry->byProvider("good") == loaded);
  rig.provider("good.yml", "colour: red\n");
  CHECK(rig.loadOne("good").refusal_id == "PROVIDER_CONFIG_BAD");
  CHECK(rig.registry->byProvider("good") == loaded);

  // open_driver is promised that nothing else calls into its plugin.
  rig.provider("more.yml", "plugin: good.so\nproviders: [more]\n");
  CHECK(rig.loadOne("more").refusal_id == "PLUGIN_NEEDS_RESTART");
  rig.provider("namesake.yml", "name: good\nplugin: other.so\n");
  CHECK(rig.loadOne("namesake").refusal_id == "PLUGIN_DUPLICATE");
  CHECK(rig.registry->slots().size() == 2);
}

TEST_CASE("registry: a mapped file that was refused stays refused, and needs a restart once it is replaced") {
  LiveRig rig;
  rig.install("init_fails", "x");
  rig.plain("x");
  REQUIRE(rig.load().ok());
  CHECK(rig.slot("x").refusal_id == "PLUGIN_INIT_FAILED");
  CHECK(rig.loadOne("x").refusal_id == "PLUGIN_INIT_FAILED");
  rig.install("good", "x");
  CHECK(rig.loadOne("x").refusal_id == "PLUGIN_NEEDS_RESTART");
  rig.install("good", "y");
  rig.provider("x.yml", "plugin: y.so\n");
  CHECK(rig.loadOne("x").driver != nullptr);
}

TEST_CASE("registry: files that cannot be loaded at all") {
  LiveRig rig;
  rig.install("good", "good");
  rig.config.only = {"good", "off"};
  rig.plain("good");
  rig.provider("other.yml", "plugin: good.so\n");
  rig.provider("off.yml", "enabled: false\nplugin: good.so\n");
  CHECK(rig.load().code() == Code::kNotFound);  // "off" is asked for
  rig.config.only = {"good"};
  REQUIRE(rig.load().ok());
  CHECK(rig.registry->load("none").status().code() == Code::kNotFound);
  for (const char* name : {"", "../good", ".good", "a b", "a\nb"}) {
    CHECK(rig.registry->load(name).status().code() == Code::kInvalidArgument);
  }
  CHECK(rig.registry->load(std::string(65, 'a')).status().code() == Code::kInvalidArgument);
  CHECK(rig.loadOne("off").refusal_id == "PROVIDER_NOT_ENABLED");
  CHECK(rig.loadOne("other").refusal_id == "PROVIDER_NOT_ENABLED");
}

TEST_CASE("registry: each alias is an instance that knows its name and options") {
  LiveRig rig;
  rig.install("shows_config", "shows_config");
  rig.provider("os.yml", kTable);
  REQUIRE(rig.load().ok());
  CHECK(rig.registry->slots().size() == 2);
  const auto config = [&](const char* alias) { return rig.driver(alias).info().clear_keys.at(0); };
  CHECK(config("mdx2").find("'instance':'mdx2'") != std::string::npos);
  CHECK(config("mdx2").find("'options':{'auth':'password'}") != std::string::npos);
  CHECK(config("chameleon").find("'instance':'chameleon'") != std::string::npos);
  CHECK(config("chameleon").find("'options':{'auth':'credential'}") != std::string::npos);
  CHECK(rig.registry->byProvider("chameleon")->instance == "chameleon");
  CHECK(rig.registry->byProvider("abc") == nullptr);
  CHECK(rig.registry->byProvider("os") == nullptr);
}

TEST_CASE("registry: a file of its own wins over an alias, whatever its name, also when it is refused") {
  LiveRig rig;
  rig.install("shows_config", "shows_config");
  rig.install("good", "good");
  rig.provider("os.yml", kTable);
  rig.provider("own-openstack.yml", "plugin: good.so\nproviders: [mdx2, ours]\n");
  rig.provider("z.yml", "plugin: nowhere.so\nproviders: [chameleon]\n");
  REQUIRE(rig.load().ok());
  CHECK(rig.registry->byProvider("mdx2")->instance == "own-openstack");
  CHECK(rig.registry->byProvider("ours")->instance == "own-openstack");
  CHECK(rig.registry->byProvider("chameleon")->refusal_id == "PLUGIN_PATH_REFUSED");
  CHECK(rig.registry->byInstance("mdx2") == nullptr);
  CHECK(rig.log.count("PROVIDER_ALIAS_OVERRIDDEN") == 2);
  CHECK(rig.registry->load("os").status().code() == Code::kFailedPrecondition);
}

TEST_CASE("registry: a table of aliases is loaded as a whole, and selected by file or alias") {
  LiveRig rig;
  rig.install("good", "good");
  rig.plain("good");
  REQUIRE(rig.load().ok());
  rig.install("shows_config", "shows_config");
  rig.provider("os.yml", kTable);
  const Result<std::vector<DriverSlot>> outcomes = rig.registry->load("os");
  REQUIRE(outcomes.ok());
  CHECK(outcomes->size() == 2);
  CHECK(std::all_of(outcomes->begin(), outcomes->end(), [](const DriverSlot& slot) { return slot.driver != nullptr; }));
  CHECK(rig.registry->byProvider("chameleon") != nullptr);

  for (const char* only : {"os", "mdx2"}) {
    LiveRig some;
    some.install("shows_config", "shows_config");
    some.provider("os.yml", kTable);
    some.config.only = {only};
    REQUIRE(some.load().ok());
    CHECK(some.registry->slots().size() == (std::string(only) == "os" ? 2 : 1));
  }
}

TEST_CASE("registry: the OpenStack table of the product serves every site name") {
  LiveRig rig;
  rig.install("shows_config", "openstack");
  rig.provider("openstack.yml", contentOf(VCC_SOURCE_DIR "/config/providers.d/openstack.yml"));
  REQUIRE(rig.load().ok());
  CHECK(rig.registry->byProvider("openstack") != nullptr);
  for (const char* site : {"aic", "abc", "hokudai", "mdx2", "chameleon"}) {
    CAPTURE(site);
    REQUIRE(rig.registry->byProvider(site) != nullptr);
    REQUIRE(rig.slot(site).driver != nullptr);
    const std::string auth = std::string(site) == "chameleon" ? "v3applicationcredential" : "v3password";
    CHECK(rig.driver(site).info().clear_keys.at(0).find("'auth_type':'" + auth + "'") != std::string::npos);
  }
}

TEST_CASE("registry: readers see whole slots while drivers are added") {
  LiveRig rig;
  rig.installCopy("p0", 'a');
  rig.plain("p0");
  REQUIRE(rig.load().ok());
  constexpr int kMore = 16;
  std::atomic<bool> done = false;
  std::atomic<int> broken = 0;
  std::atomic<std::size_t> most = 0;
  {
    const auto readAll = [&] {
      std::vector<const DriverSlot*> before;
      while (!done) {
        const std::vector<const DriverSlot*> now = rig.registry->slots();
        // What was there stays in its place, or was replaced by a slot of the same name.
        for (std::size_t i = 0; i < before.size(); ++i) broken += before[i]->instance == now[i]->instance ? 0 : 1;
        for (const DriverSlot* slot : now) {
          broken += (slot->driver != nullptr) == slot->refusal_id.empty() ? 0 : 1;
          broken += rig.registry->byInstance(slot->instance) != nullptr ? 0 : 1;
        }
        most = std::max(most.load(), now.size());
        before = now;
      }
    };
    Thread one("reader1", readAll);
    Thread two("reader2", readAll);
    Thread refused("loader2", [&] {
      for (int i = 0; i < kMore; ++i) {
        rig.provider("missing.yml", "plugin: missing.so\n");
        broken += rig.registry->load("missing")->front().refusal_id == "PLUGIN_PATH_REFUSED" ? 0 : 1;
      }
    });
    for (int i = 1; i <= kMore; ++i) {
      const std::string name = "p" + std::to_string(i);
      rig.installCopy(name, static_cast<char>('a' + i));
      rig.provider(name + ".yml", "providers: [" + name + "]\n");
      CHECK(rig.loadOne(name).driver != nullptr);
    }
    refused.join();
    done = true;
  }
  CHECK(broken == 0);
  CHECK(rig.registry->slots().size() == kMore + 2);
  CHECK(most <= kMore + 2);
}

TEST_CASE("origins: from every catalog entry of the providers served, on any port") {
  Rig rig;
  ProviderConfig config;
  config.name = "x";
  config.origins = {"https://fixed.test"};
  config.origins_from = {"auth_url", "endpoint_overrides"};
  const Catalog catalog = catalogOf(
      "mdx2:\n  default: {auth_url: 'https://keystone.mdx2.test:5000/v3'}\n"
      "  b: {auth_url: 'https://keystone.mdx2.test/v3', endpoint_overrides: {image: 'https://img.test/', net: "
      "'https://[2001:db8::1]:9696'}}\n"
      "  c: {auth_url: 'no url'}\nother:\n  default: {auth_url: 'https://not.mine.test'}\n");
  CHECK(allowedOrigins(config, {"mdx2"}, catalog, rig.log) ==
        std::vector<std::string>{"https://fixed.test", "https://keystone.mdx2.test:*", "https://img.test:*",
                                 "https://[2001:db8::1]:*"});
  CHECK(rig.log.count("CATALOG_ORIGIN_BAD") == 1);
  CHECK(allowedOrigins(config, {"nobody"}, catalog, rig.log) == config.origins);
  for (const std::string& origin : allowedOrigins(config, {"mdx2"}, catalog, rig.log)) {
    CHECK(checkOriginPattern(origin).ok());
  }
}

TEST_CASE("origins: follow the catalog at each reload") {
  Rig rig;
  rig.http = std::make_unique<Answering>();
  rig.provider("os.yml", "plugin: uses_http.so\naliases:\n  mdx2: {origins_from: [auth_url]}\n");
  REQUIRE(rig.load().ok());
  const auto mayGo = [&](const char* url) {
    const Status status = rig.driver("mdx2").probe(test::callFor("", url));
    CAPTURE(status.message());
    if (!status.ok()) CHECK(status.code() == Code::kPermissionDenied);
    return status.ok();
  };
  CHECK_FALSE(mayGo("https://one.test:5000/"));
  const auto use = [&](const std::string& yaml) {
    rig.registry->useCatalog(std::make_shared<Catalog>(catalogOf(yaml)));
  };
  use("mdx2: {default: {auth_url: 'https://one.test/v3'}}\nother: {default: {auth_url: 'https://two.test/v3'}}\n");
  CHECK(mayGo("https://one.test:5000/"));
  CHECK_FALSE(mayGo("https://two.test/"));
  use("mdx2: {default: {auth_url: 'https://new.test/v3'}}\n");
  CHECK_FALSE(mayGo("https://one.test:5000/"));
  CHECK(mayGo("https://new.test:9292/"));
}

TEST_CASE("rate: as the file says") {
  Rig rig;
  rig.http = std::make_unique<Answering>();
  rig.provider("uses_http.yml", "origins: ['https://a.test']\nrate: {per_second: 1, burst: 2}\n");
  REQUIRE(rig.load().ok());
  CallContext call = test::callFor("", "https://a.test/");
  call.deadline_ms = 500;
  CHECK(rig.driver("uses_http").probe(call).ok());
  CHECK(rig.driver("uses_http").probe(call).ok());
  const Status third = rig.driver("uses_http").probe(call);
  CHECK(third.code() == Code::kUnavailable);
  CHECK(third.message().find("rate") != std::string::npos);
}

TEST_CASE("every refusal has a remedy, as docs/log-messages.md gives it") {
  const std::string page = contentOf(VCC_SOURCE_DIR "/docs/log-messages.md");
  CHECK(remedies().size() > 15);
  for (const Remedy& remedy : remedies()) {
    CAPTURE(remedy.id);
    const std::size_t row = page.find("| " + std::string(remedy.id) + " | error | ");
    REQUIRE(row != page.npos);
    CHECK(page.substr(row, page.find('\n', row) - row).ends_with(" | " + std::string(remedy.text) + " |"));
    CHECK(remedyFor(remedy.id) == remedy.text);
  }
  CHECK(remedyFor("DRIVER_HTTP").empty());
}

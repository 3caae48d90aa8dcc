// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/admin/admin_api.h"
#include "api/service.h"
#include "api/vcp/vcp_api.h"
#include "base/encoding.h"
#include "base/executor.h"
#include "contract.h"
#include "secrets/tokens.h"
#include "store/open_store.h"
#include "support/fake_clock.h"
#include "support/fake_driver.h"
#include "support/fake_host.h"
#include "support/text.h"

namespace vcc::test {

inline const std::string kVccId = "c80e43c2a1b2c3d4e5f60718293a4b5c";

inline std::string vcCci(const std::string& name) {
  return base64Encode(
      fmt::format("\n- vc:\n    cci_version: \"23.04.0\"\n    type: compute\n    description: \"{}\"\n    "
                  "name: {}\n",
                  name, name));
}

inline std::string unitCci(const std::string& name, int nodes) {
  return base64Encode(
      fmt::format("\n- unit:\n    cci_version: \"1.1\"\n    name: {}\n    private_network: default\n    num_nodes: {}\n"
                  "    image: localhost/vcp/base:1\n    params:\n        v: []\n        e: ['SECRET=hunter2']\n"
                  "    cloud_provider: fake\n    cloud_params:\n        cci_version: \"1.0\"\n        colour: blue\n",
                  name, nodes));
}

/// The API above real commands on a memory store; no sockets, no engine.
class ApiRig {
 public:
  FakeClock clock{1'664'292'777'000};  // 2022/09/27 15:32:57 UTC
  SeededRandom random{5};
  NullLogger log;
  InlineExecutor writer;
  StoreOptions options;
  std::unique_ptr<Store> store;
  std::shared_ptr<FakeDriver> driver = std::make_shared<FakeDriver>();
  FakeRegistry registry{driver};
  Sealer sealer{SecretString(std::string(32, 'd')), random};
  std::shared_ptr<const Catalog> catalog = std::make_shared<const Catalog>(
      Catalog::parse("cci_version: '1.0'\nfake:\n  default:\n    private_network_ipmask: 10.0.0.0/24\n").value());
  std::mutex woken_mutex;
  std::vector<std::string> woken;
  int sweeps_asked = 0;
  CheckResult check_report;
  std::vector<std::string> looked_at;
  std::vector<Condition> conditions;  ///< of the engine
  std::vector<Route> routes;
  std::function<Result<std::vector<DriverSlot>>(const std::string&)> load_plugin;
  CredentialProbe probe{{clock, log, kVccId, std::make_unique<InlineExecutor>()}};
  FakeHost host;
  std::unique_ptr<ExistingServers> servers;
  std::unique_ptr<Commands> commands;
  std::optional<Doorkeeper> doorkeeper;
  std::unique_ptr<RoutedService> api;
  std::unique_ptr<RoutedService> admin;
  std::string token;   // nobody, fullaccess
  std::string reader;  // nobody, readonly
  std::string other;   // user other
  std::string super;   // user boss, role super

  ApiRig() {
    driver->facts.clear_keys = {"colour"};
    start();
  }

  /// With an empty store.
  void start() {
    store = makeMemoryStore(clock, writer, log, options);
    doorkeeper.emplace(*store, clock, log);
    commands = std::make_unique<Commands>(CommandSeams{*store,
                                                       registry,
                                                       [this] { return catalog; },
                                                       random,
                                                       log,
                                                       sealer,
                                                       Limits{},
                                                       false,
                                                       {},
                                                       [this](const std::vector<std::string>& ids) {
                                                         const std::lock_guard lock(woken_mutex);
                                                         woken.insert(woken.end(), ids.begin(), ids.end());
                                                       },
                                                       &probe});
    servers = std::make_unique<ExistingServers>(
        ExistingServers::Seams{*store, registry, host, [this] { return catalog; },
                               [](const std::string&) { return Result<std::string>(std::string("192.168.0.1")); }},
        ExistingServers::Options{.vcc_id = kVccId,
                                 .controller_address = "",
                                 .public_key = "ssh-ed25519 AAAA vcc",
                                 .plain_registries = {},
                                 .own_addresses = {},
                                 .evaluation = false});
    const FailureNotices notices({*store, clock, log, [this](const std::vector<std::string>& ids) {
                                    looked_at.insert(looked_at.end(), ids.begin(), ids.end());
                                  }});
    const VcpSeams seams{
        *store, *commands, registry, [this] { return catalog; }, log, sealer, kVccId, "ssh-ed25519 AAAA vcc", notices};
    routes = vcpRoutes(seams);
    if (!restContract()) restContract() = std::make_unique<Contract>(routes);
    api = std::make_unique<RoutedService>(Router(kVcpPrefix, routes), *doorkeeper, clock, log);
    const AdminSeams admin_seams{
        *store,
        random,
        log,
        registry,
        [this] { return catalog; },
        [] { return EngineStatus{.fence = 3, .nodes = 5, .unsettled = 2, .open_ops = 1, .jobs = 1, .queue = 0}; },
        [this] { return conditions; },
        [this] {
          ProcessFacts facts;
          facts.pid = 17;
          facts.started_ms = clock.wallMs() - 5000;
          facts.vcc_id = kVccId;
          facts.evaluation = true;
          facts.listeners = {"https://127.0.0.1:8443"};
          return facts;
        },
        [this](const std::string& name) { return load_plugin(name); },
        *commands,
        notices,
        probe,
        *servers,
        clock,
        {[this] { ++sweeps_asked; }, [this](const std::string& id) { woken.push_back(id); },
         [](const std::string& vcid) -> Result<std::string> {
           if (!vcid.empty()) return notFound("UnitGroup " + vcid + " does not exist");
           return std::string("c1");
         },
         [this](const std::string& id) -> Result<CheckResult> {
           if (id != "c1") return notFound("check " + id + " does not exist any more");
           return check_report;
         }}};
    admin = std::make_unique<RoutedService>(Router(kAdminPrefix, adminRoutes(admin_seams)), *doorkeeper, clock, log);
    REQUIRE(ensureNobody(*store).ok());
    REQUIRE(addUser(*store, "other", UserRole::kRegular).ok());
    REQUIRE(addUser(*store, "boss", UserRole::kSuper).ok());
    token = makeToken("nobody", ApiRole::kFullAccess);
    reader = makeToken("nobody", ApiRole::kReadOnly);
    other = makeToken("other", ApiRole::kFullAccess);
    super = makeToken("boss", ApiRole::kFullAccess);
  }

  std::string makeToken(const std::string& user, ApiRole role) {
    NewToken wanted;
    wanted.user = user;
    wanted.role = role;
    return createToken(*store, random, wanted).value().reveal();
  }

  static HttpHead makeHead(std::string method, std::string target, std::string peer, std::string token = "",
                           std::string privileged = "") {
    HttpHead head;
    head.id = "00c0ffee";
    head.method = std::move(method);
    head.target = std::move(target);
    head.token = std::move(token);
    head.privileged = std::move(privileged);
    head.peer = std::move(peer);
    return head;
  }
  static HttpAnswer ask(HttpHandler& service, const HttpHead& head, const std::string& body) {
    const Admission admission = service.admit(head);
    return admission.refusal ? *admission.refusal : admission.run(body);
  }
  /// A request of `who`, below the prefix.
  HttpAnswer call(const std::string& who, const std::string& method, const std::string& path,
                  const std::string& body = "", const std::string& privileged = "",
                  const std::string& peer = "127.0.0.1") {
    HttpAnswer answer = ask(*api, makeHead(method, kVcpPrefix + path, peer, who, privileged), body);
    holdToContract(method, kVcpPrefix + path, answer.status, answer.body);
    return answer;
  }
  HttpAnswer administer(const std::string& method, const std::string& path, const std::string& body = "") {
    return ask(*admin, makeHead(method, kAdminPrefix + path, "uid=0 pid=1"), body);
  }

  std::string makeVc(const std::string& who, const std::string& name) {
    const HttpAnswer answer = call(who, "POST", "/vcs", "{\"cci\": \"" + vcCci(name) + "\"}");
    REQUIRE(answer.status == 202);
    return answer.body.substr(9, 32);  // {"vcid":"
  }
  void makeUnit(const std::string& vcid, const std::string& name, int nodes) {
    const HttpAnswer answer = call(token, "POST", "/vcs/" + vcid,
                                   "{\"info\": \"" + unitCci(name, nodes) + "\", \"unit_name\": \"" + name + "\"}");
    INFO(answer.body);
    REQUIRE(answer.status == 202);
  }
};

}  // namespace vcc::test

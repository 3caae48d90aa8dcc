// SPDX-License-Identifier: Apache-2.0
#include "server/wiring.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "api/admin/admin_api.h"
#include "api/admin/peer.h"
#include "api/http_server.h"
#include "api/json_writer.h"
#include "api/service.h"
#include "api/tls_context.h"
#include "api/vault/vault_service.h"
#include "api/vcp/vcp_api.h"
#include "base/executor.h"
#include "base/version.h"
#include "engine/engine.h"
#include "engine/existing_servers.h"
#include "host/banner_prober.h"
#include "host/route.h"
#include "host/serf_client.h"
#include "host/simulated_host.h"
#include "host/ssh_host.h"
#include "plugin_host/poco_http_transport.h"
#include "plugin_host/registry.h"
#include "secrets/master_key.h"
#include "secrets/sealed_records.h"
#include "secrets/tokens.h"
#include "server/catalog_file.h"
#include "server/data_folder.h"
#include "server/own_addresses.h"
#include "store/open_store.h"

namespace vcc {
namespace {

/// OpenSSH from 9.8 on counts a second of penalty for each connection without a login.
constexpr std::int64_t kShortestWatchS = 10;

std::string leaseHolder() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return fmt::format("{}:{}", name.data(), ::getpid());
}

std::string withoutMask(const std::string& address) { return address.substr(0, address.find('/')); }

/// The folder of the admin socket: ours and closed, whatever it was before.
Status closeFolder(FileSystem& files, const std::string& socket) {
  const std::string folder = socket.substr(0, std::max<std::size_t>(socket.rfind('/'), 1));
  VCC_RETURN_IF_ERROR(files.makeDirs(folder, 0700).prepend("admin socket"));
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0 || info.st_uid != ::geteuid() || (info.st_mode & 077U) != 0) {
    return failedPrecondition(fmt::format(
        "admin socket: folder {} must belong to uid {} with mode 0700; correct it with `chown` and `chmod 700`, or set "
        "admin_socket to a path in another folder",
        folder, ::geteuid()));
  }
  return okStatus();
}

}  // namespace

struct Controller::Parts {
  Parts(const Settings& s, const ProcessSeams& p) : settings(s), seams(p), paths(s.data_dir) {}

  const Settings settings;
  const ProcessSeams seams;
  const DataPaths paths;
  Stamp stamp;
  ProcessFacts facts;
  // In the order of their start; destroyed the other way round.
  std::unique_ptr<FileLock> lock;
  ThreadPool store_writer{"store", 1};
  std::unique_ptr<Store> store;
  std::unique_ptr<Sealer> sealer;
  std::optional<CatalogFile> catalog;
  std::unique_ptr<HttpTransport> http;
  std::unique_ptr<PluginRegistry> drivers;
  SshKey ssh_key;
  std::unique_ptr<Host> host;
  std::unique_ptr<Host> simulated_host;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<SerfClient> serf;  // null: switched off
  std::unique_ptr<CredentialProbe> probe;
  std::unique_ptr<ExistingServers> servers;
  std::unique_ptr<Commands> commands;
  std::unique_ptr<Doorkeeper> doorkeeper;
  std::unique_ptr<RoutedService> vcp_service;
  std::unique_ptr<RoutedService> fail_service;
  std::unique_ptr<RoutedService> admin_service;
  std::optional<SecretStore> secrets;
  std::unique_ptr<VaultService> vault_service;
  std::unique_ptr<HttpServer> https;
  std::unique_ptr<HttpServer> fail;  // may be null
  std::unique_ptr<HttpServer> vault;
  std::unique_ptr<HttpServer> admin;
  bool running = false;

  std::function<std::shared_ptr<const Catalog>()> catalogSeam() {
    return [this] { return catalog->get(); };
  }

  Status openState();
  Status openSecrets();
  Status openDrivers();
  Status checkWatching() const;
  std::unique_ptr<Prober> makeProber(ProbeReport report) const;
  void buildEngine();
  Status followSerf();
  void buildServices();
  Result<std::vector<DriverSlot>> loadPlugin(const std::string& name);
  Status bindListeners();
  Status writeRunFile();
};

Status Controller::Parts::openState() {
  VCC_RETURN_IF_ERROR(openDataFolder(seams.files, paths.dir));
  VCC_ASSIGN_OR_RETURN(lock, lockDataFolder(seams.files, paths));
  VCC_RETURN_IF_ERROR(seams.files.makeDirs(paths.run(), 0700));
  // Left by a process that was killed; whoever waits for the file must not see that one's port.
  VCC_RETURN_IF_ERROR(seams.files.remove(paths.runFile()));
  VCC_ASSIGN_OR_RETURN(store, openStore(paths.dir, seams.files, seams.clock, store_writer, seams.log,
                                        {.events_keep = static_cast<std::size_t>(settings.events_keep)}));
  VCC_ASSIGN_OR_RETURN(stamp, stampFolder(*store, seams.random, paths.dir, false, false));
  if (stamp.fresh) {
    seams.log.info("DATA_FOLDER_STAMPED", "the data folder was new and is now a production folder, for ever",
                   {{"data_dir", paths.dir}, {"vcc_id", stamp.vcc_id}});
  }
  VCC_RETURN_IF_ERROR(openSecrets());
  if (settings.simulated_hosts && !stamp.evaluation) {
    return failedPrecondition("simulated_hosts: works only in an evaluation folder, and " + paths.dir +
                              " is a production folder; take the key out, or make another folder with `occtr "
                              "--init-data DIR --evaluation`");
  }
  VCC_RETURN_IF_ERROR(checkWatching());
  return ensureNobody(*store);
}

Status Controller::Parts::checkWatching() const {
  if (settings.watch_interval_s >= kShortestWatchS || stamp.evaluation) return okStatus();
  return failedPrecondition(fmt::format(
      "watch_interval_s: less than {} works only in an evaluation folder, because the sshd of a host shuts out who "
      "comes more often; correct the key",
      kShortestWatchS));
}

Status Controller::Parts::openSecrets() {
  const MasterKeySource source{settings.passphrase, settings.master_key, settings.masterKeyFile()};
  VCC_ASSIGN_OR_RETURN(sealer, openSealer(*store, seams.files, seams.random, source, paths.dir));
  VCC_ASSIGN_OR_RETURN(const std::int64_t sealed, sealOldRecords(*store, *sealer));
  if (sealed > 0) {
    seams.log.info("OLD_RECORDS_SEALED", "an earlier version had stored records in clear; they are sealed now",
                   {{"records", sealed}});
  }
  return okStatus();
}

Status Controller::Parts::openDrivers() {
  catalog.emplace(seams.files, seams.log, settings.catalog_file);
  VCC_RETURN_IF_ERROR(catalog->load().prepend("catalog_file"));
  const PluginConfig config{settings.providers_dir, settings.plugin_dirs, settings.providers, settings.data_dir,
                            stamp.evaluation};
  HttpTransportOptions http_options;
  http_options.user_agent = fmt::format("occtr/{}", kVersion);
  http_options.proxy = settings.http_proxy;
  http_options.no_proxy = settings.http_no_proxy;
  VCC_ASSIGN_OR_RETURN(http, makePocoHttpTransport(seams.clock, http_options));
  VCC_ASSIGN_OR_RETURN(drivers, loadDrivers(config, seams.files, seams.clock, seams.random, *http, seams.log));
  drivers->useCatalog(catalog->get());
  VCC_ASSIGN_OR_RETURN(ssh_key, openSshKey(seams.files, paths.ssh(), seams.random));
  host = makeSshHost(ssh_key, seams.clock, seams.log);
  simulated_host = makeSimulatedHost(seams.clock);
  return okStatus();
}

/// Null, and a line in the log, when the system has nothing left for it: everything but watching works on.
std::unique_ptr<Prober> Controller::Parts::makeProber(ProbeReport report) const {
  auto prober = makeBannerProber({}, seams.clock, seams.random, std::move(report));
  if (prober.ok()) return std::move(*prober);
  seams.log.error("WATCH_OFF", prober.status().message());
  return nullptr;
}

void Controller::Parts::buildEngine() {
  EngineOptions options;
  options.vcc_id = stamp.vcc_id;
  options.holder = leaseHolder();
  options.controller_address = withoutMask(settings.private_ipmask);
  options.base_registry = settings.baseRegistry();
  options.plain_registries = settings.plainRegistries();
  options.evaluation = stamp.evaluation;
  options.simulated_hosts = settings.simulated_hosts;
  options.own_addresses = ownAddresses();
  options.public_key = ssh_key.public_line;
  options.ssh_threads = static_cast<std::size_t>(settings.ssh_threads);
  options.quiet_poll_ms = settings.quiet_poll_s * 1000;
  options.watch_interval_ms = settings.watch_interval_s * 1000;
  options.sweep = settings.sweep;
  Engine::Seams engine_seams{*store,    *drivers, *host,         *simulated_host,      seams.clock,   seams.random,
                             seams.log, *sealer,  catalogSeam(), sourceAddressTowards, makeThreadPool};
  engine_seams.make_prober = [this](ProbeReport report) { return makeProber(std::move(report)); };
  if (!settings.prometheus_targets.empty()) {
    engine_seams.write_targets = [this](const std::string& content) {
      // Prometheus is another user.
      return seams.files.writeAtomic(settings.prometheus_targets, content, 0644).prepend("prometheus_targets");
    };
  }
  engine = std::make_unique<Engine>(std::move(engine_seams), options);
  probe = std::make_unique<CredentialProbe>(
      CredentialProbe::Seams{seams.clock, seams.log, stamp.vcc_id, makeThreadPool("probe", CredentialProbe::kAtOnce)});
  servers = std::make_unique<ExistingServers>(
      ExistingServers::Seams{*store, *drivers, *host, catalogSeam(), sourceAddressTowards},
      ExistingServers::Options{stamp.vcc_id, options.controller_address, ssh_key.public_line, options.plain_registries,
                               options.own_addresses, stamp.evaluation});
  commands = std::make_unique<Commands>(CommandSeams{*store, *drivers, catalogSeam(), seams.random, seams.log, *sealer,
                                                     settings.limits, stamp.evaluation, ownAddresses(),
                                                     [this](const std::vector<std::string>& ids) { engine->wake(ids); },
                                                     settings.probe_before_accept ? probe.get() : nullptr});
}

Status Controller::Parts::followSerf() {
  if (settings.serf_rpc.empty()) {
    seams.log.info("SERF_OFF", "nodes are watched without serf: serf_rpc is empty");
    return okStatus();
  }
  auto client = SerfClient::start(settings.serf_rpc, seams.clock, seams.log, [this](std::vector<SerfMember> members) {
    engine->hearOfMembers(std::move(members));
  });
  if (!client.ok()) return client.status().prepend("serf_rpc");
  serf = std::move(*client);
  return okStatus();
}

void Controller::Parts::buildServices() {
  const FailureNotices notices(
      {*store, seams.clock, seams.log, [this](const std::vector<std::string>& node_ids) { engine->look(node_ids); }});
  const VcpSeams vcp{*store,       *commands,           *drivers, catalogSeam(), seams.log, *sealer,
                     stamp.vcc_id, ssh_key.public_line, notices};
  doorkeeper = std::make_unique<Doorkeeper>(*store, seams.clock, seams.log);
  vcp_service =
      std::make_unique<RoutedService>(Router(kVcpPrefix, vcpRoutes(vcp)), *doorkeeper, seams.clock, seams.log);
  fail_service = std::make_unique<RoutedService>(Router(kVcpPrefix, {notices.withoutToken()}), *doorkeeper, seams.clock,
                                                 seams.log);
  secrets.emplace(*store, *sealer);
  vault_service = std::make_unique<VaultService>(VaultSeams{
      *store, *secrets,
      [this](const std::string& peer, const std::string& token) { return doorkeeper->authenticate(peer, token); },
      seams.clock, seams.random, seams.log, stamp.vcc_id});
  facts.pid = ::getpid();
  facts.started_ms = seams.clock.wallMs();
  facts.vcc_id = stamp.vcc_id;
  facts.data_dir = paths.dir;
  facts.evaluation = stamp.evaluation;
  facts.simulated_hosts = settings.simulated_hosts;
  const AdminSeams admin_seams{
      *store,
      seams.random,
      seams.log,
      *drivers,
      catalogSeam(),
      [this] { return engine->status(); },
      [this] { return engine->conditions(); },
      [this] {
        ProcessFacts now = facts;
        if (serf) now.serf = serf->isConnected() ? "connected" : "absent";
        return now;
      },
      [this](const std::string& name) { return loadPlugin(name); },
      *commands,
      notices,
      *probe,
      *servers,
      seams.clock,
      {[this] { engine->sweepNow(); }, [this](const std::string& id) { engine->visitStray(id); },
       [this](const std::string& vcid) { return engine->startCheck(vcid); },
       [this](const std::string& id) { return engine->checkReport(id); }}};
  admin_service = std::make_unique<RoutedService>(Router(kAdminPrefix, adminRoutes(admin_seams)), *doorkeeper,
                                                  seams.clock, seams.log);
}

/// Loads what a file of providers.d defines; nodes that waited for it go on at once.
Result<std::vector<DriverSlot>> Controller::Parts::loadPlugin(const std::string& name) {
  VCC_ASSIGN_OR_RETURN(std::vector<DriverSlot> outcomes, drivers->load(name));
  std::vector<std::string> waiting;
  store->read([&](const ReadTx& tx) {
    waiting.clear();
    tx.nodes().scan([&](const Node& node) {
      const Unit* unit = tx.units().find(node.unit_id);
      const bool waits = unit != nullptr && std::any_of(outcomes.begin(), outcomes.end(), [&](const DriverSlot& slot) {
                           return slot.driver != nullptr && slot.instance == unit->instance;
                         });
      if (waits) waiting.push_back(node.node_id);
      return true;
    });
  });
  engine->wake(waiting);
  return outcomes;
}

Status Controller::Parts::bindListeners() {
  VCC_ASSIGN_OR_RETURN(const std::shared_ptr<ServerTls> tls,
                       ServerTls::open(settings.cert_file, settings.key_file, seams.clock, seams.log));
  VCC_ASSIGN_OR_RETURN(https, HttpServer::bindTls(settings.https_address, static_cast<int>(settings.https_port), tls,
                                                  {*vcp_service, seams.clock, seams.random, seams.log}, settings.http));
  VCC_ASSIGN_OR_RETURN(vault,
                       HttpServer::bindTls(settings.vaultAddress(), static_cast<int>(settings.vault_port), tls,
                                           {*vault_service, seams.clock, seams.random, seams.log}, settings.http));
  if (settings.fail_port >= 0) {
    VCC_ASSIGN_OR_RETURN(fail,
                         HttpServer::bindTls("127.0.0.1", static_cast<int>(settings.fail_port), tls,
                                             {*fail_service, seams.clock, seams.random, seams.log}, settings.http));
  }
  const std::string socket = settings.adminSocket();
  VCC_RETURN_IF_ERROR(closeFolder(seams.files, socket));
  VCC_ASSIGN_OR_RETURN(
      admin, HttpServer::bindUnix(socket, adminPeer(seams.log), {*admin_service, seams.clock, seams.random, seams.log},
                                  settings.http));
  facts.listeners = {fmt::format("https://{}:{}", settings.https_address, https->port()),
                     fmt::format("https://{}:{}/v1", settings.vaultAddress(), vault->port()), "unix:" + socket};
  if (fail) facts.listeners.push_back(fmt::format("https://127.0.0.1:{}{}/vcs/fail", fail->port(), kVcpPrefix));
  return okStatus();
}

Status Controller::Parts::writeRunFile() {
  const auto reachable = [](const std::string& address) {
    return address == "0.0.0.0" || address == "::" ? std::string("127.0.0.1") : address;
  };
  JsonWriter json;
  json.beginObject();
  json.key("pid").integer(facts.pid);
  json.key("https_port").integer(https->port());
  json.key("url").string(fmt::format("https://{}:{}{}", reachable(settings.https_address), https->port(), kVcpPrefix));
  json.key("vault_url").string(fmt::format("https://{}:{}", reachable(settings.vaultAddress()), vault->port()));
  if (fail) json.key("fail_url").string(fmt::format("https://127.0.0.1:{}{}/vcs/fail", fail->port(), kVcpPrefix));
  json.key("admin_socket").string(settings.adminSocket());
  json.endObject();
  return seams.files.writeAtomic(paths.runFile(), json.take() + "\n", 0600);
}

Controller::Controller(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Controller::~Controller() { static_cast<void>(stop()); }

Result<std::unique_ptr<Controller>> Controller::start(const Settings& settings, const ProcessSeams& seams) {
  auto parts = std::make_unique<Parts>(settings, seams);
  VCC_RETURN_IF_ERROR(parts->openState());
  VCC_RETURN_IF_ERROR(parts->openDrivers());
  parts->buildEngine();
  parts->buildServices();
  VCC_RETURN_IF_ERROR(parts->bindListeners());
  VCC_RETURN_IF_ERROR(parts->engine->start());
  parts->running = true;
  VCC_RETURN_IF_ERROR(parts->followSerf());
  std::unique_ptr<Controller> controller(new Controller(std::move(parts)));
  Parts& p = *controller->parts_;
  p.https->start();
  p.vault->start();
  if (p.fail) p.fail->start();
  p.admin->start();
  VCC_RETURN_IF_ERROR(p.writeRunFile());
  if (p.settings.simulated_hosts) {
    seams.log.warn("SIMULATED_HOSTS", "machines count as prepared without ssh: for tests of drivers only");
  }
  seams.log.info("OCCTR_READY", "the controller serves requests",
                 {{"version", kVersion},
                  {"pid", p.facts.pid},
                  {"https", p.facts.listeners.front()},
                  {"admin_socket", p.settings.adminSocket()},
                  {"data_dir", p.paths.dir},
                  {"evaluation", p.stamp.evaluation ? "yes" : "no"}});
  return controller;
}

bool Controller::stop() {
  Parts& p = *parts_;
  if (!p.running) return true;
  p.running = false;
  p.seams.log.info("OCCTR_STOPPING", "the controller stops");
  if (const Status removed = p.seams.files.remove(p.paths.runFile()); !removed.ok()) {
    p.seams.log.warn("RUN_FILE_LEFT", removed.message());
  }
  p.https->stop();
  p.vault->stop();
  if (p.fail) p.fail->stop();
  p.admin->stop();
  p.serf.reset();
  p.engine->stop();
  if (const Status removed = p.seams.files.remove(p.settings.adminSocket()); !removed.ok()) {
    p.seams.log.warn("RUN_FILE_LEFT", removed.message());
  }
  bool all_ended = true;
  for (const DriverSlot* slot : p.drivers->slots()) {
    if (!slot->health || !slot->health->isDegraded()) continue;
    all_ended = false;
    p.seams.log.warn("DRIVER_LEFT_BEHIND",
                     "the driver does not return from its calls; nobody waits for them any longer",
                     {{"driver", slot->instance}, {"calls", slot->health->stuck_calls.load()}});
  }
  p.seams.log.info("OCCTR_STOPPED", "the controller has stopped");
  return all_ended;
}

void Controller::reload() {
  const Status loaded = parts_->catalog->load();
  if (loaded.ok()) {
    parts_->drivers->useCatalog(parts_->catalog->get());
    parts_->seams.log.info(
        "CATALOG_RELOADED", "the VPN catalog was read again",
        {{"file", parts_->settings.catalog_file}, {"on_older_entry", parts_->engine->status().on_older_entry}});
  } else {
    parts_->seams.log.error("CATALOG_RELOAD_FAILED", "the present catalog stays: " + loaded.message(),
                            {{"file", parts_->settings.catalog_file}});
  }
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "support/engine_rig.h"

#include "store/fault_journal.h"
#include "store/memory_journal.h"
#include "store/mirror_store.h"

namespace vcc::test {

std::string unitCci(const std::string& name, int nodes, const std::string& more) {
  return base64Encode(
      fmt::format("\n- unit:\n    cci_version: \"1.1\"\n    name: {}\n    private_network: default\n"
                  "    num_nodes: {}\n    image: localhost/vcp/base:1\n    params:\n        v: []\n"
                  "        e: ['A=b c']\n    cloud_provider: fake\n    cloud_params:\n"
                  "        cci_version: \"1.0\"\n{}",
                  name, nodes, more));
}

EngineRig::EngineRig(const std::string& catalog_yaml) : disk(std::make_shared<MemoryDisk>()) {
  auto parsed = Catalog::parse(catalog_yaml);
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().toString());
  catalog = std::make_shared<const Catalog>(std::move(*parsed));
  start();
}

void EngineRig::start() {
  auto opened = MirrorStore::open(std::make_unique<FaultJournal>(std::make_unique<MemoryJournal>(disk), faults), clock,
                                  inline_executor, log);
  REQUIRE(opened.ok());
  store = std::move(*opened);
  options.vcc_id = "0123456789abcdef0123456789abcdef";
  decider = std::make_unique<Decider>(
      Engine::Seams{.store = *store,
                    .drivers = registry,
                    .host = host,
                    .simulated_host = simulated_host,
                    .clock = clock,
                    .random = random,
                    .log = log,
                    .sealer = sealer,
                    .catalog = [this] { return catalog; },
                    .source_address = [](const std::string&) { return std::string("192.168.0.1"); },
                    .make_executor = [this](const std::string& name, std::size_t threads) -> std::unique_ptr<Executor> {
                      if (makes_executor) return makes_executor(name, threads);
                      return std::make_unique<InlineExecutor>();
                    },
                    .make_prober = makes_prober,
                    .write_targets = writes_targets},
      options);
  REQUIRE(decider->takeOver().ok());
  commands = std::make_unique<Commands>(
      CommandSeams{.store = *store,
                   .drivers = registry,
                   .catalog = [this] { return catalog; },
                   .random = random,
                   .log = log,
                   .sealer = sealer,
                   .limits = limits,
                   .evaluation = true,
                   .own_addresses = {},
                   .wake = [this](const std::vector<std::string>& ids) { decider->wake(ids); }});
}

void EngineRig::restart() {
  commands.reset();
  decider.reset();
  store.reset();
  start();
}

void EngineRig::crash() {
  faults->crash();
  faults->crashAtFlush(0, CrashPoint::kBeforeSync);  // a countdown that is still running dies with the process
  commands.reset();
  decider.reset();
  store.reset();
  start();
}

bool EngineRig::runUntil(const std::function<bool()>& done, std::int64_t limit_ms) {
  const std::int64_t end = clock.monoMs() + limit_ms;
  while (clock.monoMs() < end) {
    const std::int64_t pause = decider->pump();
    if (done()) return true;
    clock.advance(std::clamp<std::int64_t>(pause, 1, 1000));
  }
  return done();
}

std::string EngineRig::newVc() {
  auto vcid =
      commands->createVc(caller, base64Encode("- vc:\n    type: compute\n    name: g\n    description: \"g\"\n"));
  REQUIRE_MESSAGE(vcid.ok(), vcid.status().toString());
  return *vcid;
}

std::vector<Node> EngineRig::nodes() const {
  std::vector<Node> all;
  store->read([&](const ReadTx& tx) {
    tx.nodes().scan([&](const Node& node) {
      all.push_back(node);
      return true;
    });
  });
  return all;
}

std::size_t EngineRig::count(State state) const {
  std::size_t found = 0;
  for (const Node& node : nodes()) found += node.state == state ? 1U : 0U;
  return found;
}

std::vector<Machine> EngineRig::machines() const {
  std::vector<Machine> all;
  store->read([&](const ReadTx& tx) {
    tx.machines().scan([&](const Machine& machine) {
      all.push_back(machine);
      return true;
    });
  });
  return all;
}

std::vector<std::string> EngineRig::events(const std::string& object) const {
  std::vector<std::string> all;
  store->read([&](const ReadTx& tx) {
    tx.events().scan([&](const Event& event) {
      if (object.empty() || event.object == object) {
        all.push_back(fmt::format("{}: {} > {} ({})", event.object, event.from, event.to, event.reason));
      }
      return true;
    });
  });
  return all;
}

std::size_t EngineRig::openOps() const {
  std::size_t open = 0;
  store->read([&](const ReadTx& tx) { open = tx.ops().size(); });
  return open;
}

bool EngineRig::hasVc(const std::string& vcid) const {
  bool found = false;
  store->read([&](const ReadTx& tx) { found = tx.vcs().find(vcid) != nullptr; });
  return found;
}

}  // namespace vcc::test

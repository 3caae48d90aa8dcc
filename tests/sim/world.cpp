// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "host/simulated_host.h"
#include "secrets/grants.h"
#include "secrets/secret_store.h"
#include "store/sqlite_journal.h"

namespace vcc::sim {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
/// Faults have ended: by then everything has settled, or it never will.
constexpr std::int64_t kPatienceMs = 24 * kHourMs;
/// Often enough that sweeps fall among the faults.
constexpr std::int64_t kSweepIntervalS = 600;
constexpr std::uint64_t kMostSteps = 3'000'000;
/// What is still under way in the network arrives meanwhile.
constexpr std::int64_t kStragglersMs = 300'000;

/// Runs differ in what goes wrong: each kind of fault is often, seldom or not there at all.
void vary(double& chance, Dice& dice) {
  constexpr std::array<double, 5> kFactors{0, 0.3, 1, 1, 3};
  chance *= kFactors[dice.roll(kFactors.size())];
}

std::string catalogOf(const std::vector<CloudSpec>& clouds) {
  std::string yaml = "cci_version: '1.0'\n";
  for (const CloudSpec& cloud : clouds) {
    yaml += fmt::format("{}:\n  default:\n    private_network_ipmask: 10.0.0.0/8\n", cloud.name);
  }
  return yaml;
}

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed, Workshop& workshop, bool verbose)
    : scenario_(scenario),
      workshop_(workshop),
      dice_(seed),
      scheduler_(dice_, trace_, workshop.threads),
      clock_(scheduler_),
      witness_(scheduler_, trace_, scenario.allowed_errors, verbose),
      random_(seed),
      sealer_(SecretString(std::string(32, 'd')), random_),
      network_(scheduler_, dice_, witness_, clouds_),
      hosts_(scheduler_, dice_, witness_),
      simple_host_(makeSimulatedHost(clock_)),
      world_log_(witness_, std::make_shared<Life>("world")) {}

World::~World() {
  for (const auto& controller : controllers_) controller->kill();
  controllers_.clear();
  store_.reset();
  workshop_.shelf.seams = {};
  workshop_.shelf.log_of_current = {};
}

RunResult World::run() {
  setUp();
  planEvents();
  const std::int64_t end = scenario_.minutes * kMinuteMs;
  runUntil([] { return false; }, end - scheduler_.now());
  endFaults();
  if (!runUntil([this] { return isQuiet(); }, kPatienceMs)) explainUnrest();
  runUntil([] { return false; }, kStragglersMs);
  if (witness_.violations.empty()) {
    workload_->check(*store_);
    checkClouds();
    if (witness_.violations.empty()) checkStates();
    deleteEverything();
  }
  return {trace_.hash(), crashes_, scheduler_.steps(), network_.requests, scheduler_.now(), witness_.violations};
}

void World::deleteEverything() {
  // Disks that are in use stay: what uses them goes first.
  workload_->deleteAll(*controllers_.back(), *store_, UnitKind::kCompute);
  const auto no_machines = [this] {
    bool none = true;
    store_->read(
        [&](const ReadTx& tx) { tx.vcs().scan([&](const Vc& vc) { return none = vc.kind == UnitKind::kStorage; }); });
    return none && isQuiet();
  };
  if (!runUntil(no_machines, kPatienceMs)) return explainUnrest();
  workload_->deleteAll(*controllers_.back(), *store_, UnitKind::kStorage);
  if (!runUntil([this] { return isEmpty(); }, kPatienceMs)) explainUnrest();
  runUntil([] { return false; }, kStragglersMs);
  if (witness_.violations.empty()) checkNothingLeft();
}

void World::setUp() {
  workshop_.shelf.log_of_current = [this]() -> Logger& {
    for (const auto& controller : controllers_) {
      if (controller->life().get() == scheduler_.current()) return controller->log();
    }
    return world_log_;
  };
  scheduler_.whenStepped([this](const Life* life) {
    for (const auto& controller : controllers_) {
      if (life == controller->life().get() || life == store_life_.get()) controller->touch();
    }
  });
  for (const CloudSpec& spec : scenario_.clouds) {
    clouds_.push_back(std::make_unique<Cloud>(spec, workshop_.folder));
    for (const auto& [user, credential] : spec.accounts) witness_.addSecret(credential);
  }
  if (scenario_.sqlite) sqlite_ = std::make_unique<SqliteDisk>(dice_);
  start();
  std::vector<SimUser> users;
  for (const auto& [name, credential] : scenario_.clouds.front().accounts) {
    SimUser user{name, {.principal = {.user = name, .token_head = "s." + name, .token_hash = "hash-of-" + name}}};
    SecretStore secrets(*store_, sealer_);
    for (const CloudSpec& cloud : scenario_.clouds) {
      const SecretPath path{"cubbyhole", cloud.name};
      const Status kept = secrets.write(user.caller.principal, path,
                                        SecretString(fmt::format(R"({{"value":"{}"}})", cloud.accounts.at(name))));
      if (!kept.ok()) witness_.violation("a secret was not kept: " + kept.toString());
    }
    users.push_back(std::move(user));
  }
  workload_ = std::make_unique<Workload>(scenario_, dice_, witness_, std::move(users));
  network_.faults = scenario_.network;
  for (double* chance : {&network_.faults.refused, &network_.faults.lost_request, &network_.faults.lost_answer,
                         &network_.faults.late, &network_.faults.throttle, &network_.faults.broken,
                         &network_.faults.html, &network_.faults.refusal, &network_.faults.revoked}) {
    vary(*chance, dice_);
  }
  hosts_.unreachable = scenario_.host_unreachable;
  hosts_.lost = scenario_.host_lost;
  vary(hosts_.unreachable, dice_);
  vary(hosts_.lost, dice_);
  disk_faults_ = {scenario_.crash_at_flush, scenario_.store_failure};
  vary(disk_faults_.crash, dice_);
  vary(disk_faults_.failure, dice_);
  if (sqlite_) {
    sqlite_->full = scenario_.disk_full;
    sqlite_->sync_fails = scenario_.sync_fails;
    vary(sqlite_->full, dice_);
    vary(sqlite_->sync_fails, dice_);
  }
  if (disk_faults_.failure > 0 || (sqlite_ && sqlite_->full + sqlite_->sync_fails > 0)) {
    witness_.allow("STORE_WRITE_FAILED");
    witness_.allow("ENGINE_COMMIT_FAILED");
  }
}

void World::planEvents() {
  const std::int64_t end = scenario_.minutes * kMinuteMs;
  for (std::int64_t i = 0; i < scenario_.requests; ++i) {
    scheduler_.at(dice_.between(0, end * 4 / 5), nullptr, [this] { requestNow(); });
  }
  const auto plan = [&](double per_minute, Kind kind) {
    vary(per_minute, dice_);
    double expected = per_minute * static_cast<double>(scenario_.minutes);
    for (; expected > 0; expected -= 1) {
      if (expected >= 1 || dice_.chance(expected)) {
        scheduler_.at(dice_.between(0, end), nullptr, [this, kind] { happen(kind); });
      }
    }
  };
  plan(scenario_.crashes_per_minute, Kind::kCrash);
  plan(scenario_.stops_per_minute, Kind::kStop);
  plan(scenario_.takeovers_per_minute, Kind::kTakeover);
  plan(scenario_.jumps_per_minute, Kind::kJump);
  plan(scenario_.vanishes_per_minute, Kind::kVanish);
  plan(scenario_.purged_grants_per_minute, Kind::kPurgeGrants);
}

Status World::openStore() {
  store_life_ = std::make_shared<Life>("store");
  store_life_->lingers = true;
  store_log_ = std::make_unique<SimLogger>(witness_, store_life_);
  writer_ = std::make_unique<ItemExecutor>(scheduler_, store_life_);
  std::unique_ptr<Journal> inner;
  if (sqlite_) {
    VCC_ASSIGN_OR_RETURN(inner, SqliteJournal::open(SqliteDisk::kPath, *store_log_));
  } else {
    inner = std::make_unique<MemoryJournal>(disk_);
  }
  auto journal = std::make_unique<WatchedJournal>(std::move(inner), sqlite_.get(), plan_, disk_faults_, dice_, witness_,
                                                  [this] { die(); });
  VCC_ASSIGN_OR_RETURN(store_, MirrorStore::open(std::move(journal), clock_, *writer_, *store_log_));
  return okStatus();
}

void World::start() {
  // What an API thread of another controller commits from now on nobody would hear of: clients wait until it is done.
  if (!controllers_.empty() && controllers_.back()->isServing()) {
    return scheduler_.at(scheduler_.now() + 20, nullptr, [this] { start(); });
  }
  if (!store_) {
    if (const Status opened = openStore(); !opened.ok()) {
      if (!sqlite_ || !faults_) witness_.violation("the store does not open: " + opened.toString());
      return scheduler_.at(scheduler_.now() + 1000, nullptr, [this] { start(); });
    }
  }
  EngineOptions options;
  options.vcc_id = "0123456789abcdef0123456789abcdef";
  options.holder = fmt::format("life {}", ++lives_);
  options.predecessor_ms = scenario_.takeovers_per_minute > 0 ? kMutationDeadlineMs : 0;
  options.controller_address = "192.168.0.1";
  options.evaluation = true;
  options.simulated_hosts = !scenario_.hosts;
  options.sweep.interval_s = kSweepIntervalS;
  auto catalog = std::make_shared<const Catalog>(Catalog::parse(catalogOf(scenario_.clouds)).value());
  controllers_.push_back(std::make_unique<Controller>(
      ControllerSeams{scheduler_, witness_, workshop_.shelf, *store_, clock_, random_, sealer_, network_,
                      scenario_.hosts ? hosts_ : *simple_host_, scenario_.clouds, std::move(catalog), options},
      fmt::format("vcc{}", lives_)));
  for (const auto& cloud : clouds_) {
    cloud->settle_ms = controllers_.back()->drivers().byInstance(cloud->spec().name)->driver->info().settle_ms;
  }
  busy_ = true;
  const Status status = controllers_.back()->takeOver();
  busy_ = false;
  if (status.ok() || dying_) return;
  controllers_.back()->kill();
  controllers_.pop_back();
  scheduler_.at(scheduler_.now() + 1000, nullptr, [this] { start(); });
}

void World::requestNow() {
  if (controllers_.empty() || dying_ || busy_) return;  // nobody listens
  workload_->request(*controllers_.back(), *store_);
}

void World::happen(Kind kind) {
  if (!faults_ || dying_) return;
  if (kind == Kind::kJump) {  // also while nothing runs
    const std::int64_t by = dice_.skewed(scenario_.longest_jump_s * 1000) * (dice_.chance(0.5) ? 1 : -1);
    witness_.tell("world", fmt::format("the wall clock jumps by {} ms", by));
    return clock_.jump(by);
  }
  if (controllers_.empty()) return;
  if (busy_) return scheduler_.at(scheduler_.now() + 50, nullptr, [this, kind] { happen(kind); });
  switch (kind) {
    case Kind::kCrash:
      plan_->crash();
      return die();
    case Kind::kStop:
      witness_.tell("world", "a planned restart");
      busy_ = true;
      for (const auto& controller : controllers_) controller->stop();
      busy_ = false;
      if (dying_) return;
      controllers_.clear();
      store_.reset();
      return scheduler_.at(scheduler_.now() + dice_.skewed(scenario_.longest_down_s * 1000), nullptr,
                           [this] { start(); });
    case Kind::kTakeover:
      return takeOver();
    case Kind::kJump:
      return;
    case Kind::kVanish:
      return vanish();
    case Kind::kPurgeGrants:
      return purgeGrants();
  }
}

/// A machine of ours is taken away by somebody else.
void World::vanish() {
  Cloud& cloud = *clouds_[dice_.roll(clouds_.size())];
  std::vector<CloudObject> machines;
  for (const CloudObject& object : cloud.objects()) {
    const bool foreign = std::any_of(cloud.foreign().begin(), cloud.foreign().end(),
                                     [&](const CloudObject& other) { return other.id == object.id; });
    if (object.kind == "machine" && !foreign) machines.push_back(object);
  }
  if (machines.empty()) return;
  const CloudObject& machine = machines[dice_.roll(machines.size())];
  witness_.tell("world", fmt::format("machine {} of {} vanishes", machine.id, cloud.spec().name));
  touched_.insert(machine.id);
  for (const auto& [user, credential] : cloud.spec().accounts) {
    for (const CloudSpec::Command& command : cloud.spec().vanish) {
      const auto filled = [&](std::string text) {
        if (const std::size_t at = text.find("$id"); at != std::string::npos) text.replace(at, 3, machine.id);
        return text;
      };
      const std::size_t colon = cloud.spec().auth.find(": ");
      const HttpRequest request{
          .method = command.method,
          .url = cloud.spec().origin + filled(command.path),
          .headers = {{cloud.spec().auth.substr(0, colon), cloud.spec().auth.substr(colon + 2) + credential}},
          .body = filled(command.body)};
      static_cast<void>(cloud.handle(request, scheduler_.now()));
    }
  }
  const std::vector<CloudObject> left = cloud.objects();
  if (std::ranges::none_of(left, [&](const CloudObject& object) { return object.id == machine.id; })) {
    vanished_.insert(machine.id);
  }
}

/// A key of a user has leaked: what it was used for is wiped, and can never be changed through us again.
void World::purgeGrants() {
  const SimUser& user = workload_->users()[dice_.roll(workload_->users().size())];
  witness_.tell("world", "the grants of " + user.name + " are purged");
  purged_.insert(user.name);
  store_->transactAsync(
      [hash = user.caller.principal.token_hash](Tx& tx) { return vcc::purgeGrants(tx, hash).status(); },
      [](const Status&) {});
}

/// A second controller takes the lease; the first one goes on without it for a while, with what it has under way.
void World::takeOver() {
  witness_.tell("world", "another controller takes over");
  witness_.allow("ENGINE_FENCED");
  const std::shared_ptr<Life> first = controllers_.back()->life();
  start();
  scheduler_.at(scheduler_.now() + dice_.skewed(300'000), nullptr, [this, first] {
    const auto it = std::find_if(controllers_.begin(), controllers_.end(),
                                 [&](const auto& controller) { return controller->life() == first; });
    if (it == controllers_.end() || dying_ || busy_) return;
    (*it)->kill();
    controllers_.erase(it);
  });
}

/// The machine that everything runs on dies at this point.
void World::die() {
  if (dying_) return;
  witness_.tell("world", "crash");
  ++crashes_;
  dying_ = true;
  store_life_->dead = true;
  for (const auto& controller : controllers_) controller->life()->dead = true;
}

void World::buryAndRestart() {
  const DiskFaults before = std::exchange(disk_faults_, {});
  for (const auto& controller : controllers_) controller->kill();
  controllers_.clear();
  if (sqlite_) sqlite_->crash();  // what the dead still do to their files is done to nothing
  store_.reset();
  disk_faults_ = before;
  dying_ = false;
  scheduler_.at(scheduler_.now() + dice_.skewed(scenario_.longest_down_s * 1000), nullptr, [this] { start(); });
}

void World::step() {
  if (!scheduler_.step()) throw std::runtime_error("nothing will ever happen again");
  if (dying_) buryAndRestart();
}

bool World::runUntil(const std::function<bool()>& done, std::int64_t limit_ms) {
  const std::int64_t end = scheduler_.now() + limit_ms;
  // Something happens at the end at the latest.
  scheduler_.at(end, nullptr, [] {});
  std::int64_t asked = -1;
  while (scheduler_.now() < end) {
    if (scheduler_.steps() > kMostSteps) {
      witness_.violation("the run does not come to its end");
      return false;
    }
    if (scheduler_.now() >= asked + 1000) {
      asked = scheduler_.now();
      if (done()) return true;
    }
    step();
  }
  return done();
}

void World::endFaults() {
  witness_.tell("world", "faults end");
  faults_ = false;
  network_.faults = {};
  disk_faults_ = {};
  if (sqlite_) sqlite_->full = sqlite_->sync_fails = 0;
  hosts_.unreachable = hosts_.lost = 0;
  runUntil([this] { return !controllers_.empty(); }, kHourMs + scenario_.longest_down_s * 1000);
  for (const std::string& user : purged_) workload_->purgeOf(*controllers_.back(), *store_, user);
}

}  // namespace vcc::sim

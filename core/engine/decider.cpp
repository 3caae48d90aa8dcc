// SPDX-License-Identifier: Apache-2.0
#include "engine/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "catalog/entry_keys.h"
#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "engine/take_over.h"
#include "engine/target_file.h"
#include "engine/watcher.h"
#include "model/doubt.h"
#include "model/json_tree.h"
#include "model/power.h"
#include "secrets/tokens.h"
#include "store/record_times.h"

namespace vcc {

namespace {

constexpr std::int64_t kLongestPauseMs = 60000;
constexpr std::int64_t kWaitingPauseMs = 30000;
constexpr std::int64_t kCommitRetryMs = 1000;
constexpr std::int64_t kHousekeepingMs = 600000;
constexpr char kShard[] = "all";

Profile profileOf(const DriverInfo& info, const CatalogEntry& entry, bool all_simulated, bool watches) {
  Profile profile;
  profile.asserted = info.existence == Existence::kAsserted;
  profile.simulated_hosts = info.simulated_hosts || all_simulated;
  profile.watched = watches && !profile.simulated_hosts;
  profile.can_power = info.can_power;
  profile.attach_off = info.attach_needs == AttachNeeds::kOff;
  // A name that the caller chooses is a token that the cloud never forgets.
  const bool by_name = info.idempotency == Idempotency::kName;
  profile.idempotent_token = by_name || info.idempotency == Idempotency::kToken;
  profile.token_ttl_ms = by_name ? std::numeric_limits<std::int64_t>::max() : info.token_ttl_ms;
  profile.lookup_lag_ms = info.lookup_lag_ms;
  profile.settle_ms = info.settle_ms;
  profile.release_timeout_ms = entry.release_timeout_s * 1000;
  profile.ready_port = entry.ready_port;
  return profile;
}

std::int64_t onOlderEntry(const ReadTx& tx, const Catalog& catalog) {
  std::map<std::string, std::string> present;  // by unit: JSON of its entry; empty = there is none now
  std::int64_t count = 0;
  tx.machines().scan([&](const Machine& machine) {
    auto [entry, fresh] = present.try_emplace(machine.unit_id);
    const Unit* unit = fresh ? tx.units().find(machine.unit_id) : nullptr;
    if (unit) {
      if (auto found = catalog.entry(unit->provider, unit->network); found.ok()) entry->second = std::move(found->json);
    }
    count += isOnEntry(machine.scope, entry->second) ? 0 : 1;
    return true;
  });
  return count;
}

template <typename AnyTx>
bool holdsLease(AnyTx& tx, std::int64_t fence) {
  const Lease* lease = tx.leases().find(kShard);
  return lease != nullptr && lease->fence == fence;
}

}  // namespace

std::string accountOf(const Machine& machine, const std::string& fingerprint) {
  return machine.scope + "/" + fingerprint + (machine.kind == UnitKind::kStorage ? "/disks" : "");
}

Decider::Decider(Engine::Seams seams, EngineOptions options)
    : seams_(std::move(seams)),
      options_(std::move(options)),
      sweeper_(std::make_unique<Sweeper>(sweepPort(), options_.sweep)),
      watcher_(std::make_unique<Watcher>(
          watchPort(), WatchOptions{options_.watch_interval_ms, static_cast<bool>(seams_.write_targets)})),
      targets_(seams_.write_targets ? std::make_unique<TargetFile>(targetPort()) : nullptr),
      host_queue_(options_.ssh_threads),
      ssh_executor_(seams_.make_executor("ssh", options_.ssh_threads)) {}

SweepPort Decider::sweepPort() {
  return {.store = seams_.store,
          .drivers = seams_.drivers,
          .sealer = seams_.sealer,
          .random = seams_.random,
          .log = seams_.log,
          .clock = seams_.clock,
          .catalog = seams_.catalog,
          .vcc_id = options_.vcc_id,
          .cancelled = &cancelled_,
          .commit = [this](Body body, Then then) { commit({}, std::move(body), std::move(then)); },
          .call = [this](const DriverSlot& slot, const std::string& account, Job blocking,
                         Job after) { askDriver(slot, account, std::move(blocking), std::move(after)); },
          .later = [this](std::int64_t after_ms, Job job) { later(after_ms, std::move(job)); }};
}

Decider::~Decider() { endExecutors(); }

Status Decider::takeOver() {
  std::vector<std::string> unsettled;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    unsettled.clear();
    const Lease* held = tx.leases().find(kShard);
    Lease lease = held ? *held : Lease{.shard = kShard};
    lease.holder = options_.holder;
    lease.fence += 1;
    fence_ = lease.fence;
    VCC_RETURN_IF_ERROR(tx.leases().put(lease));
    VCC_RETURN_IF_ERROR(countAnew(tx, tx.now() + options_.predecessor_ms));
    tx.nodes().scan([&](const Node& node) {
      const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
      const bool open = machine && (machine->want_destroy || !machine->open_op.empty());
      if (!node.settled() || node.goal == Goal::kGone || open || isGoingOff(node)) {
        unsettled.push_back(node.node_id);
      }
      return true;
    });
    return okStatus();
  }));
  revisit(unsettled);
  planQuietRound();
  sweeper_->start();
  watcher_->start(seams_.make_prober);
  if (targets_) targets_->start();
  keepHouse();
  seams_.log.info("ENGINE_STARTED", "the engine took over", {{"fence", fence_}, {"unsettled", unsettled.size()}});
  return okStatus();
}

void Decider::Inbox::post(Job job) {
  {
    const MutexLock lock(mutex);
    jobs.push_back(std::move(job));
  }
  posted.notifyOne();
}

void Decider::post(Job job) { inbox_->post(std::move(job)); }

void Decider::wake(const std::vector<std::string>& node_ids) {
  if (!node_ids.empty()) post([this, node_ids] { revisit(node_ids); });
}

/// What only time brings: tokens expire. (Old events go as new ones come.)
void Decider::keepHouse() {
  commit(
      {},
      [](Tx& tx) {
        dropExpiredTokens(tx);
        return okStatus();
      },
      [this](const Status&) { later(kHousekeepingMs, [this] { keepHouse(); }); });
}

void Decider::sweepNow() {
  post([this] { sweeper_->sweepNow(); });
}

void Decider::visitStray(const std::string& stray_id) {
  post([this, stray_id] { sweeper_->visit(stray_id); });
}

void Decider::lookAt(const std::vector<std::string>& node_ids) {
  if (node_ids.empty()) return;
  post([this, node_ids] {
    for (const std::string& id : node_ids) {
      if (!watcher_->suspect(id)) observeSoon(id);
    }
  });
}

void Decider::interrupt() {
  {
    const MutexLock lock(inbox_->mutex);
    inbox_->interrupted = true;
  }
  inbox_->posted.notifyOne();
}

void Decider::waitForWork(std::int64_t timeout_ms) {
  MutexLock lock(inbox_->mutex);
  inbox_->posted.waitFor(lock, std::chrono::milliseconds(timeout_ms),
                         [this]() VCC_REQUIRES(inbox_->mutex) { return inbox_->interrupted || !inbox_->jobs.empty(); });
}

void Decider::endExecutors() {
  cancelled_ = true;
  checks_.cancelAll();
  watcher_->stop();
  driver_pools_.clear();
  ssh_executor_.reset();
  targets_executor_.reset();
}

void Decider::stop() {
  endExecutors();
  for (;;) {
    std::deque<Job> arrived;
    {
      MutexLock lock(inbox_->mutex);
      if (inbox_->jobs.empty() && commits_ == 0) return;
      inbox_->posted.waitFor(lock, std::chrono::milliseconds(kLongestPauseMs),
                             [this]() VCC_REQUIRES(inbox_->mutex) { return !inbox_->jobs.empty(); });
      arrived.swap(inbox_->jobs);
    }
    if (arrived.empty()) return;  // the store does not answer either
    for (const Job& job : arrived) job();
  }
}

std::int64_t Decider::pump() {
  std::optional<std::int64_t> list_at;
  std::optional<std::int64_t> call_at;
  for (;;) {
    std::deque<Job> arrived;
    {
      const MutexLock lock(inbox_->mutex);
      arrived.swap(inbox_->jobs);
    }
    for (const Job& job : arrived) job();
    if (fenced_) return kLongestPauseMs;
    bool visited = false;
    while (!timers_.empty() && timers_.begin()->first <= seams_.clock.monoMs()) {
      const Job job = std::move(timers_.extract(timers_.begin()).mapped());
      job();
      visited = true;
    }
    while (const auto id = agenda_.take(seams_.clock.monoMs())) {
      visit(*id);
      visited = true;
    }
    flushCreates();
    flushChanges();
    list_at = flushObservations();
    call_at = flushCalls();
    flushHosts();
    queue_ = static_cast<std::int64_t>(agenda_.size());
    if (arrived.empty() && !visited) break;
  }
  std::int64_t next = seams_.clock.monoMs() + kLongestPauseMs;
  if (const auto due = agenda_.next()) next = std::min(next, *due);
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  next = std::min({next, list_at.value_or(next), call_at.value_or(next)});
  return std::max<std::int64_t>(next - seams_.clock.monoMs(), 0);
}

EngineStatus Decider::status() const {
  EngineStatus status;
  status.fence = fence_;
  status.jobs = jobs_;
  status.queue = queue_;
  status.watched = watcher_->count();
  seams_.store.read([&](const ReadTx& tx) {
    status.nodes = static_cast<std::int64_t>(tx.nodes().size());
    status.open_ops = static_cast<std::int64_t>(tx.ops().size());
    tx.nodes().scan([&](const Node& node) {
      status.unsettled += node.settled() ? 0 : 1;
      return true;
    });
    status.on_older_entry = onOlderEntry(tx, *seams_.catalog());
  });
  return status;
}

void Decider::revisit(const std::vector<std::string>& node_ids) {
  for (const std::string& id : node_ids) schedule(id, 0);
}

void Decider::schedule(const std::string& node_id, std::int64_t after_ms) {
  // Capped: when a node is due is decided by the records, whose time follows the wall clock.
  agenda_.add(node_id, seams_.clock.monoMs() + std::clamp<std::int64_t>(after_ms, 0, kLongestPauseMs));
}

/// An entry that was taken out of the catalog still serves the machines that were asked for with it.
Result<CatalogEntry> Decider::entryOf(const Visit& visit) const {
  auto present = seams_.catalog()->entry(visit.unit.provider, visit.unit.network);
  if (present.ok() || !visit.request || visit.request->catalog_entry.empty()) return present;
  VCC_ASSIGN_OR_RETURN(YamlValue tree, treeFromJson(visit.request->catalog_entry));
  return readEntry(visit.unit.provider, visit.unit.network, tree);
}

Result<Visit> Decider::look(const std::string& node_id) {
  Visit visit;
  bool found = false;
  seams_.store.read([&](const ReadTx& tx) {
    const Node* node = tx.nodes().find(node_id);
    const Unit* unit = node ? tx.units().find(node->unit_id) : nullptr;
    const Vc* vc = node ? tx.vcs().find(node->vcid) : nullptr;
    if (!node || !unit || !vc) return;
    found = true;
    visit.node = *node;
    visit.unit = *unit;
    visit.vc = *vc;
    visit.now = tx.now();
    visit.ties = tiesOf(tx, *node);
    const Machine* machine = node->machine_id.empty() ? nullptr : tx.machines().find(node->machine_id);
    if (const Grant* grant = tx.grants().find(machine ? machine->grant_id : unit->grant_id)) visit.grant = *grant;
    if (!machine) return;
    visit.machine = *machine;
    const auto sighting = sightings_.find(machine->machine_id);
    if (sighting != sightings_.end()) {
      visit.machine->observed_at = std::max(visit.machine->observed_at, timeIn(tx, seams_.clock, sighting->second));
    }
    const Op* op = machine->open_op.empty() ? nullptr : tx.ops().find(machine->open_op);
    if (!op) return;
    const auto item = std::find_if(op->items.begin(), op->items.end(),
                                   [&](const OpItem& i) { return i.machine_id == machine->machine_id; });
    if (item == op->items.end()) return;
    visit.op = *op;
    visit.item = static_cast<std::size_t>(item - op->items.begin());
  });
  if (!found) return notFound("node " + node_id);
  visit.slot = seams_.drivers.byInstance(visit.unit.instance);
  if (!visit.slot || !visit.slot->driver) {
    return unavailable(fmt::format("driver instance {} is not loaded", visit.unit.instance));
  }
  if (visit.machine) {
    auto request = thawed_.get(seams_.store, seams_.sealer, visit.machine->request_id);
    if (!request.ok()) return unavailable(request.status().prepend("node " + node_id).message());
    visit.request = std::move(*request);
  }
  auto entry = entryOf(visit);
  if (!entry.ok()) return unavailable(entry.status().message());
  visit.entry = std::move(*entry);
  const bool disk = visit.unit.kind == UnitKind::kStorage;
  visit.profile = profileOf(visit.slot->driver->info(), visit.entry, disk || options_.simulated_hosts,
                            static_cast<bool>(seams_.make_prober));
  visit.profile.disk = disk;
  if (visit.op && visit.op->verb == OpVerb::kCreate && visit.op->items.size() > 1) {
    seams_.store.read([&](const ReadTx& tx) {
      visit.mates = matesOf(*visit.op, visit.item, membersOf(tx, *visit.op), visit.profile, visit.now);
    });
  }
  return visit;
}

void Decider::visit(const std::string& node_id) {
  if (busy_.contains(node_id)) {
    again_.insert(node_id);
    return;
  }
  auto visit = look(node_id);
  const bool hinted = to_look_at_.erase(node_id) > 0;
  if (!visit.ok()) {
    if (visit.status().code() == Code::kNotFound) return;
    noteWaiting(node_id, visit.status());
    schedule(node_id, kWaitingPauseMs);
    return;
  }
  endWaiting(node_id);
  const Action action = plan(visit->snapshot(), visit->now);
  if (hinted && action.kind == ActionKind::kNone && visit->machine) {
    wantObservation(*visit);
  } else if (action.kind == ActionKind::kWait) {
    schedule(node_id, std::max<std::int64_t>(action.at - visit->now, 1));
  } else {
    carryOut(*visit, action);
  }
}

void Decider::carryOut(const Visit& visit, const Action& action) {
  switch (action.kind) {
    case ActionKind::kNone:
      return lookAgain(visit);
    case ActionKind::kWait:
      return;
    case ActionKind::kMakeMachine:
      creates_[visit.unit.unit_id].push_back(visit.node.node_id);
      return;
    case ActionKind::kSendOp:
      return sendOp(visit);
    case ActionKind::kObserve:
      return wantObservation(visit);
    case ActionKind::kAdvance:
      return goTo(visit, action.step);
    case ActionKind::kAttachDisks:
      return attachDisks(visit);
    case ActionKind::kReleaseDisks:
      return releaseDisks(visit);
    case ActionKind::kKeepDisk:
      return keepDisk(visit);
    case ActionKind::kInspectHost:
    case ActionKind::kPrepareHost:
    case ActionKind::kRunContainer:
    case ActionKind::kProbeReady:
    case ActionKind::kStopContainer:
    case ActionKind::kReleaseHost:
      return wantHost(visit);
    case ActionKind::kAbandonHost:
      return abandonHost(visit);
    case ActionKind::kMakeDestroyOp:
      return wantChange(visit, OpVerb::kDestroy);
    case ActionKind::kMakePowerOff:
      return wantChange(visit, OpVerb::kPowerOff);
    case ActionKind::kMakePowerOn:
      return wantChange(visit, OpVerb::kPowerOn);
    case ActionKind::kCloseOp:
      return closeOp(visit);
    case ActionKind::kForgetMachine:
      return forgetMachine(visit, "gone");
    case ActionKind::kForgetNode:
      return forgetNode(visit);
    case ActionKind::kSettle:
      return settle(visit);
    case ActionKind::kGiveUp:
      return giveUp(visit, "");
  }
}

void Decider::commit(std::vector<std::string> node_ids, Body body, Then then) {
  for (const std::string& id : node_ids) busy_.insert(id);
  ++commits_;
  const std::int64_t fence = fence_;
  auto fencedBody = [body = std::move(body), fence](Tx& tx) -> Status {
    if (!holdsLease(tx, fence)) return aborted("another controller has taken over");
    return body(tx);
  };
  seams_.store.transactAsync(std::move(fencedBody), [this, inbox = inbox_, node_ids = std::move(node_ids),
                                                     then = std::move(then)](const Status& status) {
    inbox->post([this, node_ids, then, status] {
      --commits_;
      for (const std::string& id : node_ids) busy_.erase(id);
      if (status.code() == Code::kAborted) {
        if (!fenced_) seams_.log.error("ENGINE_FENCED", status.message(), {{"fence", fence_}});
        fenced_ = true;
        cancelled_ = true;
        return;
      }
      if (!status.ok()) {
        seams_.log.error("ENGINE_COMMIT_FAILED", status.message());
        for (const std::string& id : node_ids) schedule(id, kCommitRetryMs);
      }
      if (then) {
        then(status);
      } else if (status.ok()) {
        revisit(node_ids);
      }
      for (const std::string& id : node_ids) {
        if (!busy_.contains(id) && again_.erase(id) > 0) schedule(id, 0);
      }
    });
  });
}

bool Decider::mayCall() const {
  bool may = false;
  seams_.store.read([&](const ReadTx& tx) { may = holdsLease(tx, fence_); });
  return may;
}

void Decider::release(const std::vector<std::string>& node_ids) {
  for (const std::string& id : node_ids) {
    busy_.erase(id);
    if (again_.erase(id) > 0) schedule(id, 0);
  }
}

void Decider::later(std::int64_t after_ms, Job job) {
  timers_.emplace(seams_.clock.monoMs() + after_ms, std::move(job));
}

void Decider::runOn(Executor& executor, Job blocking, Job after) {
  jobs_ += 1;
  executor.submit([this, blocking = std::move(blocking), after = std::move(after)] {
    blocking();
    post([this, after] {
      jobs_ -= 1;
      after();
    });
  });
}

}  // namespace vcc

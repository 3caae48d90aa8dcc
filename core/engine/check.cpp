// SPDX-License-Identifier: Apache-2.0
#include "engine/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/check_run.h"
#include "engine/decider.h"
#include "engine/lifecycle.h"
#include "engine/sweep_records.h"

/// `vcc check`: fresh looks at everything, on the engine's executors, a bounded number at a time.
namespace vcc {

namespace {

constexpr std::size_t kMostRuns = 4;
constexpr std::size_t kGatherAtOnce = 200;
constexpr std::int64_t kMostHostLooks = 16;
constexpr std::int64_t kCheckListDeadlineMs = 60000;
constexpr std::int64_t kCheckLookDeadlineMs = 30000;
constexpr std::int64_t kCheckRunDeadlineMs = 300000;
constexpr std::int64_t kForgottenMs = 15000;  // nobody asks any more
constexpr std::int64_t kWatchMs = 1000;
constexpr std::int64_t kBusyPollMs = 500;

using Subject = CheckRun::Subject;

CheckLine lineOf(const ReadTx& tx, const Node& node) {
  CheckLine line;
  const Unit* unit = tx.units().find(node.unit_id);
  const Vc* vc = tx.vcs().find(node.vcid);
  line.vcid = node.vcid;
  line.vc = vc ? vc->name : "";
  line.unit = unit ? unit->name : "";
  line.instance = unit ? unit->instance : "";
  line.node_no = node.node_no;
  line.node_id = node.node_id;
  line.record = stateName(node.state);
  line.monitor = "-";
  return line;
}

CheckLine lineOf(const Stray& stray) {
  CheckLine line;
  line.node_id = stray.stray_id;
  line.instance = stray.instance;
  line.name = stray.name;
  line.cloud_id = stray.cloud_id;
  line.address = stray.address;
  line.record = stray.left.empty() ? "unknown" : "left";
  line.cloud = machineStateName(stray.observed);
  line.container = line.monitor = "-";
  if (stray.left.empty()) line.difference = "no record knows it (`vcc sweep`)";
  return line;
}

CheckLine lineOf(const Observation& seen, const std::string& instance) {
  Stray stray;
  stray.instance = instance;
  stray.name = cleanUtf8(seen.name, 200);
  stray.cloud_id = cleanUtf8(seen.cloud_id, 200);
  stray.address = cleanUtf8(seen.address, 64);
  stray.observed = seen.state;
  return lineOf(stray);
}

CloudSight sightOf(const Observation& seen) {
  CloudSight sight;
  if (!seen.error.ok()) {
    sight.sight = Sight::kUnknown;
    sight.why = seen.error.message();
    return sight;
  }
  const bool there = seen.found && seen.state != MachineState::kGone;
  sight.sight = there ? Sight::kFound : Sight::kAbsent;
  sight.state = seen.state;
  sight.cloud_id = seen.cloud_id;
  sight.address = seen.address;
  return sight;
}

ContainerSight sightOf(const Result<HostReport>& report, const Subject& subject, const std::string& vcc_id) {
  ContainerSight sight;
  if (!report.ok()) {
    sight.sight = Sight::kUnknown;
    sight.why = report.status().message();
    return sight;
  }
  sight.sight = Sight::kAbsent;
  for (const FoundContainer& container : report->containers) {
    if (container.vcc != vcc_id || container.node_id != subject.node.node_id) continue;
    if (sight.sight == Sight::kFound && sight.running) break;
    sight.sight = Sight::kFound;
    sight.running = container.running;
    sight.status = container.status;
  }
  return sight;
}

bool isDone(CheckRun& run) {
  const MutexLock lock(run.mutex);
  return run.report.done;
}

}  // namespace

Status CheckBoard::add(const std::shared_ptr<CheckRun>& run, std::int64_t mono_ms) {
  const MutexLock lock(mutex_);
  std::erase_if(runs_, [&](const auto& entry) {
    CheckRun& old = *entry.second;
    const MutexLock old_lock(old.mutex);
    return old.report.done && (old.delivered || mono_ms - old.asked_at > kForgottenMs);
  });
  if (runs_.size() >= kMostRuns) return resourceExhausted("too many checks are under way; try again in a moment");
  runs_.emplace(run->id, run);
  return okStatus();
}

std::shared_ptr<CheckRun> CheckBoard::find(const std::string& id) const {
  const MutexLock lock(mutex_);
  const auto found = runs_.find(id);
  return found == runs_.end() ? nullptr : found->second;
}

void CheckBoard::cancelAll() {
  const MutexLock lock(mutex_);
  for (const auto& [id, run] : runs_) run->cancelled = true;
}

Result<std::string> Decider::startCheck(const std::string& vcid) {
  auto run = std::make_shared<CheckRun>();
  bool known = vcid.empty();
  seams_.store.read([&](const ReadTx& tx) { known = known || tx.vcs().find(vcid) != nullptr; });
  if (!known) return notFound(fmt::format("UnitGroup {} does not exist", cleanUtf8(vcid, 64)));
  run->id = newId(seams_.random);
  run->vcid = vcid;
  {
    const MutexLock lock(run->mutex);
    run->asked_at = seams_.clock.monoMs();
  }
  VCC_RETURN_IF_ERROR(checks_.add(run, seams_.clock.monoMs()));
  post([this, run] { beginCheck(run); });
  return run->id;
}

Result<CheckResult> Decider::checkReport(const std::string& id) {
  const auto run = checks_.find(id);
  if (!run) return notFound(fmt::format("check {} does not exist any more", cleanUtf8(id, 64)));
  const MutexLock lock(run->mutex);
  run->asked_at = seams_.clock.monoMs();
  run->delivered = run->report.done;
  return run->report;
}

void Decider::beginCheck(const std::shared_ptr<CheckRun>& run) {
  seams_.store.read([&](const ReadTx& tx) {
    const auto add = [&](const Node& node) {
      run->waiting.push_back(node.node_id);
      return true;
    };
    run->vcid.empty() ? tx.nodes().scan(add) : tx.nodes().scan("vcid", run->vcid, add);
    if (!run->vcid.empty()) return;
    tx.strays().scan([&](const Stray& stray) {
      run->objects.push_back(lineOf(stray));
      return true;
    });
  });
  {
    const MutexLock lock(run->mutex);
    run->report.expected = static_cast<std::int64_t>(run->waiting.size());
  }
  watchCheck(run, seams_.clock.monoMs() + kCheckRunDeadlineMs);
  gatherCheck(run);
}

/// A check ends at its deadline, or when nobody asks for it any more.
void Decider::watchCheck(const std::shared_ptr<CheckRun>& run, std::int64_t deadline) {
  later(kWatchMs, [this, run, deadline] {
    if (isDone(*run)) return;
    const std::int64_t now = seams_.clock.monoMs();
    bool forgotten = false;
    {
      const MutexLock lock(run->mutex);
      forgotten = now - run->asked_at > kForgottenMs;
    }
    if (!forgotten && now < deadline && !run->cancelled) return watchCheck(run, deadline);
    run->cancelled = true;
    endCheck(run);
  });
}

/// Copies what is recorded, some nodes at a time, so that the deciding thread does other things between.
void Decider::gatherCheck(const std::shared_ptr<CheckRun>& run) {
  for (std::size_t i = 0; i < kGatherAtOnce && !run->waiting.empty(); ++i) {
    const std::string node_id = std::move(run->waiting.back());
    run->waiting.pop_back();
    gatherNode(*run, node_id);
  }
  if (!run->waiting.empty()) return post([this, run] { gatherCheck(run); });
  run->gathered = true;
  std::vector<std::string> keys;
  for (const auto& [key, account] : run->accounts) keys.push_back(key);
  for (const std::string& key : keys) askCloud(run, key);
  askHosts(run);
  endCheckIfDone(run);
}

void Decider::gatherNode(CheckRun& run, const std::string& node_id) {
  Subject subject;
  bool found = false;
  seams_.store.read([&](const ReadTx& tx) {
    const Node* node = tx.nodes().find(node_id);
    if (!node) return;
    found = true;
    subject.node = *node;
    subject.line = lineOf(tx, *node);
    if (const Machine* machine = node->machine_id.empty() ? nullptr : tx.machines().find(node->machine_id)) {
      subject.has_machine = true;
      subject.machine = *machine;
      subject.line.name = machine->name;
      subject.line.cloud_id = machine->cloud_id;
      subject.line.address = machine->address;
    }
  });
  if (!found) return;
  const std::size_t at = run.subjects.size();
  if (const auto visit = look(node_id); !visit.ok()) {
    subject.cloud = {.sight = Sight::kUnknown, .why = visit.status().message()};
  } else if (visit->machine && subject.has_machine) {
    subject.profile = visit->profile;
    if (visit->machine->create_size > 0) {  // else no cloud was ever asked for it
      CheckRun::Account& account = run.accounts[visit->account()];
      if (!account.slot) {
        account.slot = visit->slot;
        account.visit = *visit;
      }
      account.subjects.push_back(at);
    }
    if (expectsContainer(subject.node, subject.profile) && !visit->machine->address.empty()) {
      run.hosts.push_back({at, targetOf(*visit), &hostOf(*visit)});
    }
  }
  run.subjects.push_back(std::move(subject));
}

/// One list for an account that can be listed, which may show what no record knows; then point reads for what it did
/// not show (architecture 3.6).
void Decider::askCloud(const std::shared_ptr<CheckRun>& run, const std::string& key) {
  const CheckRun::Account& account = run->accounts.at(key);
  const bool lists = account.slot->driver->info().can_list && !account.visit.profile.disk;
  if (!lists) return askPointReads(run, key);
  auto seen = std::make_shared<std::vector<Observation>>();
  auto context = callContext(account.visit, kCheckListDeadlineMs);
  if (context.ok()) context->cancelled = &run->cancelled;
  ++run->under_way;
  askDriver(
      *account.slot, key,
      [run, seen, context = std::move(context), driver = account.slot->driver] {
        bool complete = false;
        if (!context.ok() || run->cancelled) return;
        // A list that fails shows what it shows; the point reads say why.
        static_cast<void>(driver->list(
            *context, [&](const Observation& one) { seen->push_back(one); }, &complete));
      },
      [this, run, key, seen] {
        --run->under_way;
        if (isDone(*run)) return;
        takeCheckList(*run, key, *seen);
        askPointReads(run, key);
      });
}

void Decider::takeCheckList(CheckRun& run, const std::string& key, const std::vector<Observation>& seen) {
  CheckRun::Account& account = run.accounts.at(key);
  std::unordered_map<std::string, const Observation*> by_name;
  for (const Observation& one : seen) {
    if (!one.name.empty()) by_name.emplace(one.name, &one);
  }
  std::vector<std::size_t> left;
  for (const std::size_t at : account.subjects) {
    Subject& subject = run.subjects[at];
    const auto found = by_name.find(subject.machine.name);
    if (found == by_name.end() || found->second->state == MachineState::kGone) {
      left.push_back(at);
    } else {
      subject.cloud = sightOf(*found->second);
    }
  }
  account.subjects = std::move(left);
  if (!run.vcid.empty()) return;
  std::vector<Observation> unknown;
  seams_.store.read([&](const ReadTx& tx) { unknown = unknownOf(tx, account.slot->instance, seen); });
  for (const Observation& one : unknown) {
    const CheckLine line = lineOf(one, account.slot->instance);
    const bool known = std::any_of(run.objects.begin(), run.objects.end(), [&](const CheckLine& other) {
      return other.instance == line.instance &&
             (line.cloud_id.empty() || other.cloud_id.empty() ? other.name == line.name
                                                              : other.cloud_id == line.cloud_id);
    });
    if (!known && one.state != MachineState::kGone) run.objects.push_back(line);
  }
}

/// The next call of an account; one at a time.
void Decider::askPointReads(const std::shared_ptr<CheckRun>& run, const std::string& key) {
  CheckRun::Account& account = run->accounts.at(key);
  const std::size_t most = std::max<std::size_t>(account.slot->driver->info().max_observe, 1);
  // What is in a call already is asked for later: a machine is in one at a time.
  const auto left = account.subjects.begin() + static_cast<std::ptrdiff_t>(account.next);
  const auto taken = std::stable_partition(
      left, account.subjects.end(), [&](std::size_t at) { return !busy_.contains(run->subjects[at].node.node_id); });
  std::vector<std::size_t> asked;
  std::vector<MachineRef> refs;
  std::vector<std::string> nodes;
  for (auto at = left; at != taken && asked.size() < most; ++at, ++account.next) {
    const CheckRun::Subject& subject = run->subjects[*at];
    refs.push_back(refOf(subject.machine, asked.size()));
    nodes.push_back(subject.node.node_id);
    asked.push_back(*at);
  }
  publishCheck(*run);
  if (asked.empty() && left == account.subjects.end()) return endCheckIfDone(run);
  if (asked.empty()) {
    ++run->under_way;
    return later(kBusyPollMs, [this, run, key] {
      --run->under_way;
      if (!isDone(*run)) askPointReads(run, key);
    });
  }
  busy_.insert(nodes.begin(), nodes.end());
  auto seen = std::make_shared<std::vector<Observation>>();
  auto context = callContext(account.visit, kCheckLookDeadlineMs);
  if (context.ok()) context->cancelled = &run->cancelled;
  ++run->under_way;
  askDriver(
      *account.slot, key,
      [run, seen, refs, context = std::move(context), driver = account.slot->driver] {
        if (run->cancelled) return;
        if (!context.ok()) {
          seen->assign(refs.size(), {.error = context.status()});
        } else {
          *seen = driver->observe(*context, refs);
        }
      },
      [this, run, key, seen, asked, nodes] {
        release(nodes);
        --run->under_way;
        if (isDone(*run)) return;
        for (std::size_t i = 0; i < asked.size(); ++i) {
          run->subjects[asked[i]].cloud = sightOf(
              i < seen->size() ? (*seen)[i] : Observation{.error = Status(Code::kUnknown, "the driver said nothing")});
        }
        askPointReads(run, key);
      });
}

/// A few hosts at a time: machines under way come first on the ssh executor.
void Decider::askHosts(const std::shared_ptr<CheckRun>& run) {
  const std::size_t most = std::max<std::size_t>(1, std::min<std::size_t>(kMostHostLooks, options_.ssh_threads / 4));
  for (std::size_t i = 0; i < most; ++i) askHost(run);
}

void Decider::askHost(const std::shared_ptr<CheckRun>& run) {
  if (run->hosts.empty()) return endCheckIfDone(run);
  CheckRun::HostLook look = std::move(run->hosts.back());
  run->hosts.pop_back();
  auto report = std::make_shared<Result<HostReport>>(unavailable("the check ended before it was asked"));
  ++run->under_way;
  runOn(
      *ssh_executor_,
      [run, report, target = look.target, host = look.host] {
        if (!run->cancelled) *report = host->inspect(target, "", kCheckLookDeadlineMs);
      },
      [this, run, report, at = look.subject] {
        --run->under_way;
        if (isDone(*run)) return;
        run->subjects[at].container = sightOf(*report, run->subjects[at], options_.vcc_id);
        askHost(run);
      });
}

void Decider::publishCheck(CheckRun& run) const {
  std::int64_t looked = 0;
  for (const Subject& subject : run.subjects) looked += subject.cloud.sight != Sight::kNone ? 1 : 0;
  const MutexLock lock(run.mutex);
  run.report.looks = looked;
}

void Decider::endCheckIfDone(const std::shared_ptr<CheckRun>& run) {
  if (!run->gathered || run->under_way > 0 || !run->hosts.empty() || isDone(*run)) return;
  endCheck(run);
}

void Decider::endCheck(const std::shared_ptr<CheckRun>& run) {
  CheckResult report;
  for (const CheckRun::HostLook& look : run->hosts) {
    run->subjects[look.subject].container = {.sight = Sight::kUnknown, .why = "the check ended before it was asked"};
  }
  for (auto& [key, account] : run->accounts) {
    for (const std::size_t at : account.subjects) {
      CloudSight& cloud = run->subjects[at].cloud;
      if (cloud.sight == Sight::kNone) cloud = {.sight = Sight::kUnknown, .why = "the check ended before it was asked"};
    }
  }
  for (Subject& subject : run->subjects) {
    Comparison line =
        compare(subject.node, subject.has_machine ? &subject.machine : nullptr, subject.cloud, subject.container);
    subject.line.cloud = std::move(line.cloud);
    subject.line.container = std::move(line.container);
    subject.line.difference = std::move(line.difference);
    report.lines.push_back(std::move(subject.line));
  }
  std::sort(report.lines.begin(), report.lines.end(), [](const CheckLine& a, const CheckLine& b) {
    return std::tie(a.vc, a.vcid, a.unit, a.node_no) < std::tie(b.vc, b.vcid, b.unit, b.node_no);
  });
  report.lines.insert(report.lines.end(), run->objects.begin(), run->objects.end());
  report.looks = report.expected = static_cast<std::int64_t>(run->subjects.size());
  report.done = true;
  run->subjects.clear();
  run->accounts.clear();
  run->hosts.clear();
  const MutexLock lock(run->mutex);
  run->report = std::move(report);
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "engine/watcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/target_file.h"

namespace vcc {

/// Who is watched, and what their ports say.

namespace {

constexpr std::int64_t kRoundMs = 2000;
constexpr std::size_t kSlice = 500;
constexpr std::int64_t kSliceMs = 20;
constexpr std::int64_t kPortsKnownMs = 60000;
constexpr std::int64_t kGpuIntervals = 10;  // who has none is asked in vain
/// More than a controller has nodes: what gossip says is bounded.
constexpr std::size_t kMostMembers = 50000;
/// Looks at once: a network that is cut off does not take the threads for hosts from others.
constexpr std::size_t kMostLooks = 16;
// What is asked of a node, as the last letter of the probe's id.
constexpr char kSsh = 's';
constexpr char kReady = 'r';
constexpr char kGpu = 'g';

bool isFaulty(State state) { return state == State::kHostError || state == State::kContainerError; }

}  // namespace

struct Watcher::Seen {
  std::string node_id, unit_id, vcid, user, unit, address;
  std::int64_t node_no = 0;
  Goal goal = Goal::kRunning;
  State state = State::kRunning;
};

Watcher::Watcher(WatchPort port, WatchOptions options)
    : port_(std::move(port)),
      options_(options),
      patience_(WatchPatience::of(options.interval_ms)),
      turns_(kMostLooks) {}

Watcher::~Watcher() = default;

void Watcher::start(const ProberMaker& make) {
  if (!make) return;
  prober_ = make([this](std::vector<ProbeResult> results) {
    port_.post([this, results = std::move(results)] { takeResults(results); });
  });
  if (prober_) beginRound();
}

void Watcher::stop() { prober_.reset(); }

/// The store is read in slices, so that nobody waits for long.
void Watcher::beginRound() {
  ++round_;
  cursor_.clear();
  readSlice();
}

void Watcher::readSlice() {
  std::vector<Seen> found;
  std::size_t read = 0;
  bool more = false;
  const std::string from = cursor_;
  port_.store.read([&](const ReadTx& tx) {
    tx.nodes().scanAfter(from, [&](const Node& node) {
      if (read == kSlice) {
        more = true;
        return false;
      }
      ++read;
      cursor_ = node.node_id;
      const Machine* machine = node.machine_id.empty() ? nullptr : tx.machines().find(node.machine_id);
      const Unit* unit = machine != nullptr && isProbed(node, *machine) ? tx.units().find(node.unit_id) : nullptr;
      const Vc* vc = unit != nullptr ? tx.vcs().find(node.vcid) : nullptr;
      if (vc == nullptr) return true;
      found.push_back({node.node_id, node.unit_id, node.vcid, vc->owner, unit->name, machine->address, node.node_no,
                       node.goal, node.state});
      return true;
    });
  });
  for (const Seen& seen : found) keep(seen);
  if (more) return port_.later(kSliceMs, [this] { readSlice(); });
  endRound();
}

void Watcher::endRound() {
  std::vector<std::string> gone;
  for (const auto& [id, watched] : watched_) {
    if (watched.round != round_) gone.push_back(id);
  }
  for (const std::string& id : gone) drop(id);
  // Those of nodes that are gone would take the place of new ones in time.
  if (members_.size() >= kMostMembers) {
    std::erase_if(members_, [&](const auto& member) { return !names_.contains(member.first); });
  }
  count_ = static_cast<std::int64_t>(watched_.size());
  weigh();
  std::set<std::string> units;
  for (const auto& [id, watched] : watched_) units.insert(watched.unit_id);
  const std::int64_t now = port_.clock.monoMs();
  std::erase_if(ports_, [&](const auto& entry) { return now >= entry.second.until && !units.contains(entry.first); });
  port_.later(kRoundMs, [this] { beginRound(); });
}

/// A catalog that was read again shows after a minute.
const Watcher::UnitPorts& Watcher::portsOf(const Seen& seen) {
  const std::int64_t now = port_.clock.monoMs();
  const auto known = ports_.find(seen.unit_id);
  if (known != ports_.end() && now < known->second.until) return known->second;
  auto ports = port_.ports(seen.node_id);
  UnitPorts& kept = ports_[seen.unit_id];
  const WatchedPorts before = kept.ports;
  if (!ports.ok()) {
    // The engine has a condition about it; what is watched already stays so.
    kept.until = now + kPortsKnownMs;
    return kept;
  }
  kept = {std::move(*ports), seen.unit, now + kPortsKnownMs};
  if (before.ssh_port != kept.ports.ssh_port || before.ready_port != kept.ports.ready_port) {
    for (const auto& [id, watched] : watched_) {
      if (watched.unit_id == seen.unit_id) askPorts(id, watched);
    }
  }
  return kept;
}

void Watcher::keep(const Seen& seen) {
  const UnitPorts& unit = portsOf(seen);
  if (unit.ports.simulated) return;
  const bool ready_wanted = unit.ports.ready_port != 0 && seen.goal == Goal::kRunning;
  const auto known = watched_.find(seen.node_id);
  const bool same =
      known != watched_.end() && known->second.address == seen.address && known->second.ready_wanted == ready_wanted;
  if (!same) {
    drop(seen.node_id);
    Watched& fresh = watched_[seen.node_id];
    fresh.unit_id = seen.unit_id;
    fresh.vcid = seen.vcid;
    fresh.user = seen.user;
    fresh.address = seen.address;
    fresh.name = fmt::format("{}:{}:{}", seen.vcid, unit.name, seen.node_no);
    fresh.ports = &unit.ports;
    fresh.ready_wanted = ready_wanted;
    names_[fresh.name] = seen.node_id;
    askPorts(seen.node_id, fresh);
  }
  Watched& watched = watched_.at(seen.node_id);
  watched.round = round_;
  watched.state = seen.state;
  // What is in error and may answer again is looked at until it is well.
  if (isFaulty(seen.state) && watched.ssh.sign != PortSign::kSilent) {
    wantLook(seen.node_id, watched.looked_at + std::max(options_.interval_ms, patience_.second_look_ms));
  }
}

void Watcher::askPorts(const std::string& node_id, const Watched& watched) const {
  if (!prober_) return;
  const WatchedPorts& ports = *watched.ports;
  prober_->watch(node_id + kSsh, {watched.address, ports.ssh_port, true, options_.interval_ms});
  if (watched.ready_wanted) {
    prober_->watch(node_id + kReady, {watched.address, ports.ready_port, true, options_.interval_ms});
  }
  if (options_.gpu && watched.ready_wanted) {
    prober_->watch(node_id + kGpu, {watched.address, kGpuPort, false, kGpuIntervals * options_.interval_ms});
  }
}

void Watcher::drop(const std::string& node_id) {
  const auto known = watched_.find(node_id);
  if (known == watched_.end()) return;
  if (prober_) {
    for (const char part : {kSsh, kReady, kGpu}) prober_->forget(node_id + part);
  }
  if (known->second.gpu) ++gpu_version_;
  names_.erase(known->second.name);
  watched_.erase(known);
}

void Watcher::takeResults(const std::vector<ProbeResult>& results) {
  for (const ProbeResult& result : results) {
    const std::string node_id = result.id.substr(0, result.id.size() - 1);
    const auto known = watched_.find(node_id);
    if (known == watched_.end()) continue;
    Watched& watched = known->second;
    const char part = result.id.back();
    if (part == kGpu) {
      if (watched.gpu != result.answers) ++gpu_version_;
      watched.gpu = result.answers;
      continue;
    }
    Sign& sign = part == kSsh ? watched.ssh : watched.ready;
    const bool first = sign.sign == PortSign::kUnknown;
    sign = {result.answers ? PortSign::kAnswers : PortSign::kSilent, result.why};
    const bool news = !first || !result.answers || isFaulty(watched.state);
    if (news) suspect(node_id);
  }
}

bool Watcher::suspect(const std::string& node_id) {
  if (!watched_.contains(node_id)) return false;
  wantLook(node_id, 0);
  return true;
}

void Watcher::hear(const std::vector<SerfMember>& members) {
  for (const SerfMember& member : members) {
    const auto known = members_.find(member.name);
    const bool new_here = known == members_.end();
    if (new_here && (members_.size() >= kMostMembers || std::ranges::count(member.name, ':') < 2)) continue;
    // Who was there before may have been restarted meanwhile (operations 12.2, number 30).
    const bool news = member.status != MemberStatus::kAlive || (!new_here && known->second != member.status);
    members_[member.name] = member.status;
    const auto node = names_.find(member.name);
    if (news && node != names_.end()) suspect(node->second);
  }
}

std::string Watcher::describe(const Node& node) const {
  if (!node.watch_mode) return "off";
  const auto known = watched_.find(node.node_id);
  if (known == watched_.end()) return "-";
  const Watched& watched = known->second;
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (watched.ssh.sign == PortSign::kSilent) add(fmt::format("{} silent", watched.ports->ssh_port));
  if (watched.ready.sign == PortSign::kSilent) add(fmt::format("{} silent", watched.ports->ready_port));
  if (text.empty()) add(watched.ssh.sign == PortSign::kUnknown ? "not asked yet" : "answers");
  if (const auto member = members_.find(watched.name); member != members_.end()) {
    constexpr const char* kWords[] = {"alive", "left", "failed"};
    add(fmt::format("serf {}", kWords[static_cast<std::size_t>(member->second)]));
  }
  return text;
}

bool Watcher::hasGpu(const std::string& node_id) const {
  const auto known = watched_.find(node_id);
  return known != watched_.end() && known->second.gpu;
}

bool Watcher::isSilent(const Watched& watched) const {
  if (watched.ssh.sign != PortSign::kSilent) return false;
  return !watched.ready_wanted || watched.ready.sign == PortSign::kSilent;
}

/// Sums up each network: does it look cut off, and can its hosts be looked into?
void Watcher::weigh() {
  std::map<std::string, Network> networks;
  for (const auto& [id, watched] : watched_) {
    Network& network = networks[watched.ports->network];
    const bool silent = isSilent(watched);
    if (!silent && !watched.blind.empty()) {
      if (network.blind++ == 0) network.blind_sample = watched.blind;
      network.blind_vcids.insert(watched.vcid);
    }
    if (watched.state == State::kHostError) continue;
    ++network.watched;
    if (!silent) continue;
    if (network.silent++ == 0) network.silent_sample = fmt::format("{}: {}", watched.address, watched.ssh.why);
    network.silent_vcids.insert(watched.vcid);
  }
  std::set<std::string> present;
  for (auto& [name, network] : networks) {
    const bool mass = isMassLoss(network.silent, network.watched);
    if (mass) {
      const auto [held, fresh] = held_.try_emplace(name, port_.store.now());
      const std::string text = fmt::format(
          "{} of {} hosts stopped answering at once ({}): the fault is taken to lie between them and the controller, "
          "and their nodes stay what they are; check the network, VPN and firewall on the controller's side",
          network.silent, network.watched, network.silent_sample);
      const std::string key = "held " + name;
      present.insert(key);
      conditions_.raise(key, {"hosts of " + name, text, held->second, std::move(network.silent_vcids)});
      if (fresh) port_.log.warn("WATCH_HELD", text, {{"network", name}});
    }
    if (network.blind > 0) {
      const std::string key = "blind " + name;
      present.insert(key);
      conditions_.raise(
          key, {"hosts of " + name,
                fmt::format("{} of {} cannot be looked into, and nothing can be changed on them; the first: {}",
                            network.blind, network.watched, network.blind_sample),
                port_.store.now(), std::move(network.blind_vcids)});
    }
    if (!mass && held_.erase(name) > 0) {
      judgeAnew(name);
      port_.log.info("WATCH_RESUMED", "hosts answer again; those that do not are judged one by one",
                     {{"network", name}, {"silent", network.silent}, {"watched", network.watched}});
    }
  }
  std::erase_if(held_, [&](const auto& entry) { return !networks.contains(entry.first); });
  conditions_.keep(present);
}

/// What a cut made silent comes back host by host: each has the whole patience again.
void Watcher::judgeAnew(const std::string& network) {
  const std::int64_t now = port_.clock.monoMs();
  for (auto& [id, watched] : watched_) {
    if (watched.ports->network == network && watched.finding == WatchFinding::kNoHost) watched.since = now;
  }
}

}  // namespace vcc

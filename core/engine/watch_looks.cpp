// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/lifecycle.h"
#include "engine/sight.h"
#include "engine/watcher.h"

/// Looks at suspects, and what follows from them.
namespace vcc {

namespace {

constexpr std::int64_t kLookDeadlineMs = 10000;
/// Hints, however many, make a node be looked at no more often than this.
constexpr std::int64_t kLookPauseMs = 4000;

HostSign signOf(const Result<HostReport>& report, const std::string& vcc_id, const std::string& node_id,
                FoundContainer& ours) {
  if (!report.ok()) {
    const Status& error = report.status();
    if (error.code() == Code::kPermissionDenied) return HostSign::kStranger;
    const bool no_answer = error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded;
    // A command that was begun had a login before it.
    return no_answer && error.outcome() != Outcome::kUnknown ? HostSign::kUnreachable : HostSign::kBlind;
  }
  HostSign sign = HostSign::kMissing;
  for (const FoundContainer& container : report->containers) {
    if (container.vcc != vcc_id || container.node_id != node_id) continue;
    if (sign != HostSign::kMissing && !container.running) continue;
    ours = container;
    sign = container.running ? HostSign::kRunning : HostSign::kDown;
  }
  return sign;
}

}  // namespace

void Watcher::wantLook(const std::string& node_id, std::int64_t at_ms) {
  const auto known = watched_.find(node_id);
  if (known == watched_.end()) return;
  const Watched& watched = known->second;
  const std::int64_t soonest = watched.looked_at > 0 ? watched.looked_at + kLookPauseMs : 0;
  looks_.add(node_id, std::max({at_ms, soonest, port_.clock.monoMs()}));
  drive();
}

void Watcher::drive() {
  const std::int64_t now = port_.clock.monoMs();
  while (const auto id = looks_.take(now)) wantTurn(*id);
  while (const auto begin = turns_.next(now)) (*begin)();
  const auto next = looks_.next();
  if (!next) return;
  if (woken_at_ > now && woken_at_ <= *next) return;
  woken_at_ = std::max(*next, now + 1);
  port_.later(woken_at_ - now, [this] { drive(); });
}

/// A user whose hosts do not answer, and so are looked at for long, leaves the others their turns.
void Watcher::wantTurn(const std::string& node_id) {
  const auto known = watched_.find(node_id);
  if (known == watched_.end()) return;
  Watched& watched = known->second;
  if (watched.waiting || watched.looking) return looks_.add(node_id, port_.clock.monoMs() + kLookPauseMs);
  watched.waiting = true;
  turns_.add({watched.user, watched.unit_id, CallQueue::Kind::kLook, [this, node_id, user = watched.user] {
                if (!beginLook(node_id, user)) turns_.leave(user, port_.clock.monoMs());
              }});
}

bool Watcher::beginLook(const std::string& node_id, const std::string& user) {
  const auto known = watched_.find(node_id);
  if (known == watched_.end() || !known->second.waiting) return false;
  Watched& watched = known->second;
  watched.waiting = false;
  const std::int64_t now = port_.clock.monoMs();
  // Looks would only time out, many at once; the ports are asked all the time.
  if (isSilent(watched) && isHeld(watched.ports->network)) {
    looks_.add(node_id, now + options_.interval_ms);
    return false;
  }
  auto aim = port_.aim(node_id);
  if (!aim.ok() || !isProbed(aim->node, aim->machine)) return false;
  watched.looking = true;
  watched.looked_at = now;
  if (!aim->asserted) port_.observe(node_id);
  auto report = std::make_shared<Result<HostReport>>(unavailable("nobody looked"));
  // What the look finds counts from when it begins, however long it has waited for its thread.
  auto begun = std::make_shared<std::int64_t>(now);
  port_.look(
      user, watched.unit_id,
      [report, begun, host = aim->host, target = aim->target, &clock = port_.clock] {
        *begun = clock.monoMs();
        *report = host->inspect(target, "", kLookDeadlineMs);
      },
      [this, node_id, user, aim = *aim, report, begun] {
        turns_.leave(user, port_.clock.monoMs());
        endLook(node_id, aim, *report, *begun);
        drive();
      });
  return true;
}

void Watcher::endLook(const std::string& node_id, const WatchAim& aim, const Result<HostReport>& report,
                      std::int64_t begun) {
  const auto known = watched_.find(node_id);
  if (known == watched_.end()) return;
  Watched& watched = known->second;
  watched.looking = false;
  FoundContainer ours;
  WatchSigns signs{watched.ssh.sign, watched.ready.sign, watched.ready_wanted, HostSign::kUnreachable};
  signs.host = signOf(report, port_.vcc_id, node_id, ours);
  const WatchFinding finding = findingOf(aim.node.goal, signs);
  if (finding != watched.finding) {
    watched.finding = finding;
    watched.since = begun;
  }
  const bool blind = !report.ok() && finding != WatchFinding::kNoHost;
  watched.blind = blind ? report.status().message() : std::string();

  const std::int64_t due = watched.since + patience_.needed(finding);
  auto to = stateAfter(aim.node, finding);
  if (to && begun < due) {
    wantLook(node_id, due);
    to.reset();
  }
  if (to && finding == WatchFinding::kNoHost) {
    weigh();
    if (isHeld(watched.ports->network)) {
      wantLook(node_id, begun + options_.interval_ms);
      to.reset();
    }
  }
  follow(aim, watched, ours, to);
}

/// Records what follows, unless the node has moved on meanwhile.
void Watcher::follow(const WatchAim& aim, const Watched& watched, const FoundContainer& container,
                     std::optional<State> to) const {
  const bool revived = container.running && isRevived(aim.node, container.started_at);
  if (!to && !revived) return;
  port_.commit([to, revived, container, node_id = aim.node.node_id, machine_id = aim.machine.machine_id,
                seen = aim.node.goal_seq, from = aim.node.state, asserted = aim.asserted,
                text = textOf(aim, watched, container)](Tx& tx) -> Status {
    const Node* found = tx.nodes().find(node_id);
    const Machine* machine = tx.machines().find(machine_id);
    if (!found || !machine || found->machine_id != machine_id || found->goal_seq != seen) return okStatus();
    if (!isProbed(*found, *machine) || found->state != from) return okStatus();
    // A cloud that says that its machine is in trouble has the first word (engine/sight.h).
    if (to && !asserted && isTroubled(*found, *machine)) return okStatus();
    Node node = *found;
    if (container.running) {
      node.container_id = container.id;
      if (revived) node.container_started = container.started_at;
    }
    if (!to) {
      VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = node.vcid,
                                           .object = nodeLabel(tx, node),
                                           .object_id = node_id,
                                           .from = std::string(stateName(node.state)),
                                           .to = std::string(stateName(node.state)),
                                           .reason = "its host has started the base container again"}));
      return tx.nodes().put(std::move(node));
    }
    const bool well = *to == settledState(node.goal);
    node.fault = well ? Fault{} : Fault{tx.now(), text};
    return setState(tx, std::move(node), *to, {text, ""});
  });
}

std::string Watcher::textOf(const WatchAim& aim, const Watched& watched, const FoundContainer& container) const {
  const std::string& address = aim.machine.address;
  constexpr char kUnasked[] = "nothing is repaired unasked";
  switch (watched.finding) {
    case WatchFinding::kWell:
      return "the host and its base container are well";
    case WatchFinding::kAlive:
      return fmt::format("{} answers again", address);
    case WatchFinding::kNoContainer:
      if (container.id.empty()) {
        return fmt::format(
            "the base container is not on {} any more; {}: `suspend` and `resume` the node for a new one", address,
            kUnasked);
      }
      return fmt::format(
          "the base container {} on {} does not run ({}); {}: start it there with `docker start`, or `suspend` and "
          "`resume` the node",
          container.name, address, container.status, kUnasked);
    case WatchFinding::kSilentContainer:
      return fmt::format(
          "nobody answers in the base container on {} (port {}: {}); {}: look at its log and its sshd, or `suspend` "
          "and "
          "`resume` the node",
          address, watched.ports->ready_port, watched.ready.why, kUnasked);
    case WatchFinding::kNoHost: {
      std::string text =
          fmt::format("host {} does not answer (port {}: {}", address, watched.ports->ssh_port, watched.ssh.why);
      if (watched.ready_wanted) text += fmt::format("; port {}: {}", watched.ports->ready_port, watched.ready.why);
      return text + fmt::format("){}; {}: mend the machine or the way to it, or delete the node",
                                aim.asserted ? "" : ", though its cloud shows no trouble", kUnasked);
    }
    case WatchFinding::kUnsure:
      break;
  }
  return {};
}

}  // namespace vcc

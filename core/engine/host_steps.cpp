// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/container.h"
#include "engine/decider.h"
#include "engine/host_needs.h"
#include "engine/lifecycle.h"
#include "engine/spec_json.h"
#include "engine/transitions.h"
#include "secrets/sealed_records.h"

/// The steps that happen on the machine, each one a job on the ssh executor (architecture 26, 27).
namespace vcc {

namespace {

constexpr std::int64_t kRunDeadlineMs = 120000;
constexpr std::int64_t kBannerDeadlineMs = 3000;
constexpr std::int64_t kExistingServerPatienceMs = 60000;

/// How often a thing under way is looked at: at once in the beginning, then ever less.
std::int64_t pollPause(std::int64_t age_ms) { return std::clamp<std::int64_t>(age_ms / 8, 100, 3000); }

struct Claim {
  std::vector<std::string> ours;       // ids of containers of this node
  std::vector<std::string> leftovers;  // ours, but of nodes that no record knows
  std::string stranger;                // text about somebody else's
};

Claim claimOf(const std::vector<FoundContainer>& found, const std::string& vcc_id, const Visit& visit,
              const Store& store) {
  Claim claim;
  for (const FoundContainer& container : found) {
    if (container.address != visit.machine->address) continue;  // another host that shares the engine
    if (container.vcc != vcc_id) {
      claim.stranger =
          fmt::format("container {} of another controller ({})", container.name, cleanUtf8(container.vcc, 32));
    } else if (container.node_id == visit.node.node_id) {
      claim.ours.push_back(container.id);
    } else {
      bool known = false;
      store.read([&](const ReadTx& tx) { known = tx.nodes().find(container.node_id) != nullptr; });
      if (known) {
        claim.stranger = fmt::format("container {} of another unit of this controller", container.name);
      } else {
        claim.leftovers.push_back(container.id);
      }
    }
  }
  return claim;
}

}  // namespace

Host& Decider::hostOf(const Visit& visit) const {
  return visit.profile.simulated_hosts ? seams_.simulated_host : seams_.host;
}

HostTarget Decider::targetOf(const Visit& visit) const {
  HostTarget target;
  target.address = visit.machine->address;
  target.ssh_port = visit.entry.ssh_port;
  target.host_key = visit.machine->host_key;
  const auto cci = openCci(seams_.sealer, visit.unit);
  target.user = loginUser(cci.ok() ? cci->cloud_params : std::string(), visit.slot->driver->info().secret_keys);
  return target;
}

bool Decider::visitHost(const Visit& visit, const Action& action) {
  switch (action.kind) {
    case ActionKind::kInspectHost:
      return inspectHost(visit);
    case ActionKind::kPrepareHost:
      return prepareHost(visit);
    case ActionKind::kRunContainer:
      return runContainer(visit);
    case ActionKind::kProbeReady:
      return probeReady(visit);
    case ActionKind::kStopContainer:
      return stopContainer(visit);
    case ActionKind::kReleaseHost:
      return releaseHost(visit);
    default:
      return false;
  }
}

void Decider::onHost(const Visit& visit, Job blocking, Job after) {
  busy_.insert(visit.node.node_id);
  runOnHost(visit.vc.owner, std::move(blocking), [this, id = visit.node.node_id, after = std::move(after)] {
    busy_.erase(id);
    after();
  });
}

Result<std::string> Decider::controllerAddressFor(const Visit& visit) const {
  if (!options_.controller_address.empty()) return options_.controller_address;
  return seams_.source_address(visit.machine->address);
}

Result<ContainerSpec> Decider::specOf(const Visit& visit) const {
  VCC_ASSIGN_OR_RETURN(const UnitCci cci, openCci(seams_.sealer, visit.unit));
  VCC_ASSIGN_OR_RETURN(const std::string controller, controllerAddressFor(visit));
  return containerSpec({options_.vcc_id, controller, options_.base_registry}, cci, visit.unit, visit.node,
                       visit.machine->address);
}

void Decider::noteLogin(const Visit& visit, const std::string& host_key, Step next,
                        std::function<void(Node&, std::int64_t now)> change) {
  commit({visit.node.node_id},
         [node_id = visit.node.node_id, machine_id = visit.machine->machine_id, host_key,
          goal_seq = visit.node.goal_seq, next, change = std::move(change)](Tx& tx) -> Status {
           const Node* found = tx.nodes().find(node_id);
           const Machine* present = tx.machines().find(machine_id);
           if (!found || !present) return okStatus();
           Node node = *found;
           Machine machine = *present;
           machine.host_key = host_key;
           enterStep(node, goal_seq, next, tx.now());
           node.fault = {};
           if (node.boot_at == 0) node.boot_at = tx.now();
           if (change) change(node, tx.now());
           VCC_RETURN_IF_ERROR(tx.machines().put(std::move(machine)));
           return tx.nodes().put(std::move(node));
         });
}

void Decider::noteHost(const Visit& visit, const ContainerSpec& spec, const HostReport& seen) {
  const Claim claim = claimOf(seen.containers, options_.vcc_id, visit, seams_.store);
  if (!claim.stranger.empty()) {
    return giveUp(visit, fmt::format("server {} is in use: it runs {}; remove that container, or use another server",
                                     visit.machine->address, claim.stranger));
  }
  // One that has served stays what it is, whatever its specification would be today.
  const auto ours = std::find_if(seen.containers.begin(), seen.containers.end(), [&](const FoundContainer& c) {
    const bool fits = c.id == visit.node.container_id || (c.running && c.spec_hash == specHash(spec));
    return fits && c.vcc == options_.vcc_id && c.node_id == visit.node.node_id;
  });
  const FoundContainer kept = ours != seen.containers.end() ? *ours : FoundContainer{};
  if (kept.id.empty() && !seen.lacking.empty()) return beginPreparation(visit, seen);
  const bool startable = !kept.id.empty() || seen.image_present;
  const Step next = kept.running ? Step::kReady : startable ? Step::kContainer : Step::kImage;
  // The intent: from here on a container of ours may be there.
  noteLogin(visit, seen.host_key, next,
            [hash = kept.id.empty() ? specHash(spec) : kept.spec_hash, kept](Node& node, std::int64_t now) {
              node.container_spec_hash = hash;
              node.container_id = kept.id;
              if (kept.running) node.container_started = kept.started_at > 0 ? kept.started_at : now;
            });
}

bool Decider::inspectHost(const Visit& visit) {
  const auto spec = specOf(visit);
  const auto needs = needsOf(visit);
  if (!spec.ok() || !needs.ok()) {
    giveUp(visit, (spec.ok() ? needs.status() : spec.status()).message());
    return false;
  }
  // An existing server is not changed, so its needs are not asked for either (architecture 27).
  const HostLook look = visit.profile.asserted ? HostLook::kContainers : HostLook::kNeeds;
  auto report = std::make_shared<Result<HostReport>>(unavailable(""));
  onHost(
      visit,
      [report, &host = hostOf(visit), target = targetOf(visit), image = spec->image, needs = *needs, look] {
        *report = host.inspect(target, image, needs, look, kHostLookMs);
      },
      [this, visit, report, spec = *spec] {
        if (!report->ok()) {
          const Status error = report->status();
          // A machine that is booting answers late and may refuse its user until cloud-init has run; an existing server
          // that does so will not mend itself.
          const bool may_mend = error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded ||
                                (!visit.profile.asserted && error.code() != Code::kPermissionDenied);
          const bool patient = !visit.profile.asserted || visit.now - visit.node.step_at < kExistingServerPatienceMs;
          if (!may_mend || !patient) {
            std::string text = fmt::format("logging in to {} failed: {}", visit.machine->address, error.message());
            if (visit.profile.asserted) text += "; " + checkHint(visit.machine->address);
            return giveUp(visit, text);
          }
          return failStep(visit, Status(Code::kUnavailable, error.message()), CallKind::kExisting);
        }
        noteHost(visit, spec, report->value());
      });
  return true;
}

bool Decider::runContainer(const Visit& visit) {
  const auto spec = specOf(visit);
  if (!spec.ok()) {
    giveUp(visit, spec.status().message());
    return false;
  }
  auto made = std::make_shared<Result<std::string>>(unavailable(""));
  onHost(
      visit,
      [made, &host = hostOf(visit), target = targetOf(visit), spec = *spec, vcc_id = options_.vcc_id, visit,
       &store = seams_.store] {
        if (const std::string& id = visit.node.container_id; !id.empty()) {
          const Status started = host.startContainer(target, id, kRunDeadlineMs);
          *made = started.ok() ? Result<std::string>(id) : Result<std::string>(started);
          if (started.code() != Code::kNotFound) return;
        }
        *made = host.runContainer(target, spec, kRunDeadlineMs);
        if (made->ok() || made->status().code() != Code::kAlreadyExists) return;
        // An earlier try got through, or something of ours was left: take it over, or clear the way.
        const auto report = host.inspect(target, spec.image, kHostLookMs);
        if (!report.ok()) {
          *made = report.status();
          return;
        }
        for (const FoundContainer& found : report->containers) {
          if (found.node_id != visit.node.node_id || found.vcc != vcc_id || found.spec_hash != specHash(spec)) continue;
          const Status started = found.running ? okStatus() : host.startContainer(target, found.id, kRunDeadlineMs);
          *made = started.ok() ? Result<std::string>(found.id) : Result<std::string>(started);
          return;
        }
        const Claim claim = claimOf(report->containers, vcc_id, visit, store);
        for (const auto* list : {&claim.ours, &claim.leftovers}) {
          for (const std::string& id : *list) {
            if (const Status removed = host.removeContainer(target, id, kRunDeadlineMs); !removed.ok()) {
              *made = removed;
              return;
            }
          }
        }
        *made = host.runContainer(target, spec, kRunDeadlineMs);
      },
      [this, visit, made] {
        if (made->ok()) {
          return goTo(visit, Step::kReady, [id = made->value(), now = seams_.store.now()](Node& node) {
            node.container_id = id;
            node.container_started = now;
          });
        }
        const Status error = made->status();
        if (error.code() == Code::kInvalidArgument) {
          return giveUp(visit, fmt::format("starting the base container on {} failed: {}", visit.machine->address,
                                           error.message()));
        }
        if (error.code() == Code::kNotFound) return goTo(visit, Step::kImage);  // the image went away again
        failStep(visit, error, CallKind::kExisting);
      });
  return true;
}

bool Decider::probeReady(const Visit& visit) {
  auto answer = std::make_shared<Status>();
  onHost(
      visit,
      [answer, &host = hostOf(visit), address = visit.machine->address, port = visit.profile.ready_port] {
        *answer = host.probeBanner(address, port, kBannerDeadlineMs);
      },
      [this, visit, answer] {
        if (answer->ok()) return settle(visit);
        schedule(visit.node.node_id, pollPause(visit.now - visit.node.step_at));
      });
  return true;
}

bool Decider::stopContainer(const Visit& visit) {
  auto done = std::make_shared<Status>();
  onHost(
      visit,
      [done, &host = hostOf(visit), target = targetOf(visit), visit, vcc_id = options_.vcc_id] {
        if (visit.profile.simulated_hosts) {
          *done = host.stopContainer(target, visit.node.container_id, kRunDeadlineMs);
          return;
        }
        const auto report = host.inspect(target, "", kHostLookMs);
        *done = report.ok() ? notFound("no container") : report.status();
        if (!report.ok()) return;
        for (const FoundContainer& found : report->containers) {
          if (found.vcc != vcc_id || found.node_id != visit.node.node_id) continue;
          *done = found.running ? host.stopContainer(target, found.id, kRunDeadlineMs) : okStatus();
          if (!done->ok()) return;
        }
      },
      [this, visit, done] {
        if (done->ok()) return settle(visit);
        if (done->code() == Code::kNotFound) return endWithoutContainer(visit);
        failStep(visit, *done, CallKind::kExisting);
      });
  return true;
}

void Decider::abandonHost(const Visit& visit) {
  seams_.log.warn("HOST_ABANDONED", "an existing server stayed unreachable after DELETE; a container may be left on it",
                  {{"address", visit.machine->address}, {"node_id", visit.node.node_id}, {"vcid", visit.vc.vcid}});
  forgetMachine(visit, fmt::format("container left on {}: {}", visit.machine->address, visit.node.fault.text));
}

bool Decider::releaseHost(const Visit& visit) {
  auto done = std::make_shared<Status>();
  onHost(
      visit,
      [done, &host = hostOf(visit), target = targetOf(visit), node_id = visit.node.node_id, vcc_id = options_.vcc_id] {
        const auto report = host.inspect(target, "", kHostLookMs);
        *done = report.status();
        if (!report.ok()) return;
        for (const FoundContainer& found : report->containers) {
          if (found.vcc != vcc_id || found.node_id != node_id) continue;
          *done = host.removeContainer(target, found.id, kRunDeadlineMs);
          if (!done->ok()) return;
        }
      },
      [this, visit, done] {
        if (done->ok()) return forgetMachine(visit, "released");
        failStep(visit, unavailable(done->message()), CallKind::kExisting);
      });
  return true;
}

}  // namespace vcc

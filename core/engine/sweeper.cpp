// SPDX-License-Identifier: Apache-2.0
#include "engine/sweeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <unordered_set>

#include "base/encoding.h"
#include "secrets/grants.h"
#include "store/record_times.h"

namespace vcc {
namespace {

constexpr std::int64_t kSweepTickMs = 60000;
constexpr std::int64_t kSweepListDeadlineMs = 300000;
constexpr std::int64_t kFirstPauseMs = 10000;
constexpr std::int64_t kLongestFirstJitterMs = 300000;
constexpr std::int64_t kUnusedJitterMs = 10000;
constexpr std::int64_t kMostBackoff = 24;  // intervals between lists of an account that fail
constexpr std::size_t kMostSwept = 100000;

std::string sealPlace(const std::string& key) { return placeOf("sweep_place.entry", key); }

bool canSweep(const DriverInfo& info) { return info.can_list && info.existence == Existence::kObserved; }

/// What may share a list: the place, and the account that the credentials are of at present.
std::string accountOf(const SweepPlace& place, const Grant& grant) {
  return fmt::format("{}/{}/{}/{}", place.instance, place.network, grant.fingerprint,
                     place.scope.substr(std::min(place.scope.rfind('/'), place.scope.size())));
}

}  // namespace

Profile sweepProfileOf(const DriverInfo& info) {
  Profile profile;
  profile.lookup_lag_ms = info.lookup_lag_ms;
  profile.settle_ms = info.settle_ms;
  return profile;
}

void Sweeper::start() {
  std::vector<std::string> deleting;
  port_.store.read([&](const ReadTx& tx) {
    tx.strays().scan([&](const Stray& stray) {
      if (!stray.want_by.empty()) deleting.push_back(stray.stray_id);
      return true;
    });
  });
  for (const std::string& id : deleting) visit(id);
  tick();
}

void Sweeper::sweepNow() {
  for (auto& [key, pace] : pace_) pace.due = port_.clock.monoMs();
  // Places that no tick has seen yet are due at once, too.
  for (const auto& [key, account] : survey().accounts) pace_.try_emplace(key, Pace{.due = port_.clock.monoMs()});
  tick();
}

SweepPlace Sweeper::placeOf(const Machine& machine, const DriverInfo& info, const std::string& catalog_entry) const {
  SweepPlace place;
  if (!canSweep(info)) return place;
  place.scope = machine.scope;
  place.grant_id = machine.grant_id;
  place.instance = machine.instance;
  place.network = machine.network;
  place.entry = port_.sealer.seal(catalog_entry, sealPlace(Schema<SweepPlace>::key(place)));
  return place;
}

std::int64_t Sweeper::jitter(std::int64_t most_ms) {
  std::array<std::uint8_t, 2> bytes{};
  port_.random.fill(std::span(bytes));
  return most_ms * (bytes[0] * 256 + bytes[1]) / 65536;
}

Sweeper::Survey Sweeper::survey() const {
  Survey survey;
  port_.store.read([&](const ReadTx& tx) {
    std::unordered_set<std::string> in_use;
    tx.machines().scan([&](const Machine& machine) {
      const std::string key = placeKey(machine);
      if (!in_use.insert(key).second || tx.sweepPlaces().find(key)) return true;
      const DriverSlot* slot = port_.drivers.byInstance(machine.instance);
      if (slot && slot->driver && canSweep(slot->driver->info())) survey.unnoted.emplace(key, machine);
      return true;
    });
    tx.sweepPlaces().scan([&](const SweepPlace& place) {
      const std::string key = Schema<SweepPlace>::key(place);
      const DriverSlot* slot = port_.drivers.byInstance(place.instance);
      const Grant* grant = place.grant_id.empty() ? nullptr : tx.grants().find(place.grant_id);
      const bool purged = !place.grant_id.empty() && (!grant || grant->values.empty());
      const bool blind = slot && slot->driver && !canSweep(slot->driver->info());
      const bool used = in_use.contains(key);
      if (!used && (purged || blind || (options_.interval_s == 0 && !hasStrays(tx, key)))) {
        survey.finished.push_back(key);
      } else if (slot && slot->driver && !purged && !blind) {
        Account& account = survey.accounts[accountOf(place, grant ? *grant : Grant{})];
        account.slot = slot;
        if (grant) account.grant = *grant;
        const std::int64_t quiet_at = quietAfter(place.used_at, sweepProfileOf(slot->driver->info()));
        if (!used && place.swept_at < quiet_at) {
          account.quiet_at = account.unused_since_list ? std::min(account.quiet_at, quiet_at) : quiet_at;
          account.unused_since_list = true;
        }
        account.places.push_back(place);
      }
      return true;
    });
  });
  return survey;
}

void Sweeper::tick() {
  const Survey present = survey();
  if (!present.unnoted.empty() || !present.finished.empty()) tidy(present);
  const std::int64_t now = port_.clock.monoMs();
  const std::int64_t interval_ms = options_.interval_s * 1000;
  std::erase_if(pace_,
                [&](const auto& entry) { return !entry.second.in_flight && !present.accounts.contains(entry.first); });
  for (const auto& [key, account] : present.accounts) {
    const bool paced = options_.interval_s > 0;
    auto [at, fresh] = pace_.try_emplace(key, Pace{});
    Pace& pace = at->second;
    if (fresh) {
      if (!paced) {
        pace_.erase(at);
        continue;
      }
      const std::int64_t first = kFirstPauseMs + jitter(std::min(interval_ms / 4, kLongestFirstJitterMs));
      pace.due = now + std::min(first, interval_ms);
    }
    if (paced && account.unused_since_list && pace.failures == 0 && !pace.in_flight) {
      const std::int64_t pause = std::max<std::int64_t>(account.quiet_at - port_.store.now(), 0);
      pace.due = std::min(pace.due, now + pause + jitter(kUnusedJitterMs));
    }
    if (!pace.in_flight && pace.due <= now) begin(key, account);
  }
  planNext();
}

void Sweeper::planNext() {
  std::int64_t next = port_.clock.monoMs() + kSweepTickMs;
  for (const auto& [key, pace] : pace_) {
    if (!pace.in_flight) next = std::min(next, pace.due);
  }
  const std::int64_t number = ++tick_no_;
  port_.later(std::max<std::int64_t>(next - port_.clock.monoMs(), 1), [this, number] {
    if (number == tick_no_) tick();
  });
}

/// Places come to be known also for machines of an earlier version, or of a driver that was loaded or learnt to list
/// since; those go that need no list.
void Sweeper::tidy(const Survey& survey) {
  std::vector<SweepPlace> fresh;
  for (const auto& [key, machine] : survey.unnoted) {
    const auto entry = entryFor(machine);
    const DriverSlot* slot = port_.drivers.byInstance(machine.instance);
    if (!entry.ok() || !slot || !slot->driver) continue;
    SweepPlace place = placeOf(machine, slot->driver->info(), *entry);
    if (!place.scope.empty()) fresh.push_back(std::move(place));
  }
  if (fresh.empty() && survey.finished.empty()) return;
  port_.commit(
      [fresh, finished = survey.finished](Tx& tx) -> Status {
        for (const SweepPlace& place : fresh) VCC_RETURN_IF_ERROR(notePlace(tx, place));
        for (const std::string& key : finished) {
          std::vector<Stray> strays;
          tx.strays().scan("place", key, [&](const Stray& stray) {
            strays.push_back(stray);
            return true;
          });
          for (const Stray& stray : strays) {
            VCC_RETURN_IF_ERROR(
                forgetStray(tx, stray, "no longer looked for", "its place is not swept, or its credentials are gone"));
          }
          dropPlace(tx, key);
        }
        return okStatus();
      },
      [](const Status&) {});
}

Result<std::string> Sweeper::entryFor(const Machine& machine) {
  VCC_ASSIGN_OR_RETURN(const auto request, thawed_.get(port_.store, port_.sealer, machine.request_id));
  if (!request->catalog_entry.empty()) return request->catalog_entry;
  std::string provider;  // of a machine of step 1
  port_.store.read([&](const ReadTx& tx) {
    if (const Unit* unit = tx.units().find(machine.unit_id)) provider = unit->provider;
  });
  VCC_ASSIGN_OR_RETURN(const CatalogEntry entry, port_.catalog()->entry(provider, machine.network));
  return entry.json;
}

Result<CallContext> Sweeper::contextOf(const SweepPlace& place, const Grant& grant, std::int64_t deadline_ms) const {
  CallContext context;
  context.deadline_ms = deadline_ms;
  VCC_ASSIGN_OR_RETURN(const SecretString entry,
                       port_.sealer.open(place.entry, sealPlace(Schema<SweepPlace>::key(place))));
  context.catalog_entry = entry.reveal();
  context.credentials = SecretString("{}");
  if (!place.grant_id.empty()) {
    VCC_ASSIGN_OR_RETURN(context.credentials, openGrant(grant, port_.sealer));
  }
  context.vcc_id = port_.vcc_id;
  context.cancelled = port_.cancelled;
  return context;
}

bool Sweeper::storeIsWhole() const { return port_.store.health().ok() && port_.store.damagedRows() == 0; }

void Sweeper::begin(const std::string& key, const Account& account) {
  pace_[key].in_flight = true;
  Sighting sighting;
  for (const SweepPlace& place : account.places) sighting.places.push_back(Schema<SweepPlace>::key(place));
  sighting.instance = account.slot->instance;
  sighting.network = account.places.front().network;
  sighting.profile = sweepProfileOf(account.slot->driver->info());
  sighting.vcc_id = port_.vcc_id;
  struct Listed {
    Status status;
    bool complete = false;
    std::vector<Observation> seen;
  };
  auto listed = std::make_shared<Listed>();
  port_.call(
      *account.slot, account.places.front().scope + "/" + account.grant.fingerprint,
      [listed, context = contextOf(account.places.front(), account.grant, kSweepListDeadlineMs),
       driver = account.slot->driver] {
        if (!context.ok()) {
          listed->status = context.status();
          return;
        }
        bool all = true;
        listed->status = driver->list(
            *context,
            [&](const Observation& seen) {
              all = all && listed->seen.size() < kMostSwept;
              if (all) listed->seen.push_back(seen);
            },
            &listed->complete);
        listed->complete = listed->complete && all && listed->status.ok();
      },
      [this, key, sighting = std::move(sighting), listed, begun = port_.clock.monoMs()]() mutable {
        sighting.complete = listed->complete;
        port_.store.read([&](const ReadTx& tx) {
          if (!listed->seen.empty()) sighting.unknown = unknownOf(tx, sighting.instance, listed->seen);
        });
        end(key, std::move(sighting), begun, listed->status);
      });
}

void Sweeper::end(const std::string& key, Sighting sighting, std::int64_t begun, const Status& status) {
  if (!status.ok()) sighting.fault = status.message();
  if (status.ok() && !sighting.complete) sighting.fault = "the driver could not read everything";
  sighting.rules = {options_.may_delete && storeIsWhole(), options_.grace_s * 1000};
  auto outcome = std::make_shared<SweepOutcome>();
  port_.commit(
      [this, sighting, begun, outcome](Tx& tx) {
        Sighting dated = sighting;
        dated.begun = timeIn(tx, port_.clock, begun);
        return recordSighting(tx, port_.random, dated, *outcome);
      },
      [this, key, sighting, outcome](const Status& recorded) {
        Pace& pace = pace_[key];
        pace.in_flight = false;
        pace.failures = sighting.complete && recorded.ok() ? 0 : pace.failures + 1;
        const std::int64_t interval_ms = options_.interval_s * 1000 * std::min(pace.failures + 1, kMostBackoff);
        pace.due = port_.clock.monoMs() + interval_ms * 9 / 10 + jitter(interval_ms / 5);
        if (options_.interval_s == 0) pace_.erase(key);
        if (!recorded.ok()) return planNext();
        for (const Stray& stray : outcome->fresh) {
          port_.log.warn("SWEEP_FOUND_UNKNOWN",
                         "the cloud holds an object of this controller that no record knows; it costs money",
                         {{"id", stray.stray_id},
                          {"instance", stray.instance},
                          {"name", stray.name},
                          {"cloud_id", stray.cloud_id},
                          {"address", stray.address}});
        }
        if (!sighting.complete) {
          port_.log.warn("SWEEP_INCOMPLETE", sighting.fault,
                         {{"instance", sighting.instance}, {"network", sighting.network}});
        }
        for (const std::string& id : outcome->to_delete) visit(id);
        tick();
      });
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/lifecycle.h"
#include "engine/retry.h"
#include "engine/sweeper.h"

/// The deletion of a stray: verified by its name, sent under a recorded op, proven by point reads.
namespace vcc {

namespace {

constexpr std::int64_t kStrayLookDeadlineMs = 60000;
constexpr std::int64_t kDestroyDeadlineMs = 120000;
constexpr std::int64_t kAbsentDriverPauseMs = 30000;
constexpr std::int64_t kShortestStrayPendingMs = 1000;

MachineRef refTo(const Stray& stray, bool by_name) {
  MachineRef ref;
  ref.name = stray.name;
  if (!by_name) ref.cloud_id = stray.cloud_id;
  ref.driver_state = stray.driver_state;
  if (!by_name) ref.resources = stray.resources;
  ref.create_op = stray.create_op;
  ref.create_index = stray.create_index;
  return ref;
}

bool leadsTo(const Observation& seen, const Stray& stray) {
  if (stray.cloud_id.empty() || seen.cloud_id == stray.cloud_id) return true;
  return std::any_of(seen.resources.begin(), seen.resources.end(),
                     [&](const Resource& part) { return part.id == stray.cloud_id; });
}

Status postpone(Tx& tx, Stray stray, const Status& error, std::string_view attempted, Random& random) {
  stray.attempts += 1;
  stray.next_at = tx.now() + retryAfter(error, CallKind::kExisting, stray.attempts, random).after_ms;
  stray.fault = {tx.now(), fmt::format("{} failed: {}", attempted, error.message())};
  return tx.strays().put(std::move(stray));
}

/// It is not what it was taken for: nobody deletes it any more, unless asked again.
Status refuse(Tx& tx, Stray stray, const std::string& why) {
  stray.fault = {tx.now(), why};
  return setWanted(tx, std::move(stray), "", why);
}

Status recordLook(Tx& tx, Stray stray, const Observation& seen, bool by_name, std::int64_t begun, Random& random) {
  if (!seen.error.ok()) return postpone(tx, std::move(stray), seen.error, "looking at it", random);
  stray.looked_at = begun;
  stray.attempts = stray.next_at = 0;
  if (!seen.found) {
    if (stray.absent_since == 0) stray.absent_since = begun;
    return tx.strays().put(std::move(stray));
  }
  stray.absent_since = 0;
  stray.observed = seen.state;
  if (by_name && leadsTo(seen, stray)) {
    stray.verified_at = begun;
  } else if (stray.verified_at < stray.want_at) {
    return refuse(tx, std::move(stray), "its name does not lead to it, so that it may not be ours; it was left alone");
  }
  if (stray.cloud_id.empty()) stray.cloud_id = seen.cloud_id;
  mergeResources(stray.resources, seen.resources);
  return tx.strays().put(std::move(stray));
}

Status recordAnswer(Tx& tx, Stray stray, const ItemResult& result, Random& random) {
  if (result.has_driver_state) stray.driver_state = result.driver_state;
  mergeResources(stray.resources, result.resources);
  if (result.state == ItemState::kFailed) return postpone(tx, std::move(stray), result.error, "deleting it", random);
  stray.attempts = 0;
  if (result.state == ItemState::kPending) {
    stray.next_at = tx.now() + std::max(result.retry_after_ms, kShortestStrayPendingMs);
    return tx.strays().put(std::move(stray));
  }
  stray.accepted_at = tx.now();
  stray.next_at = 0;
  stray.fault = {};
  return tx.strays().put(std::move(stray));
}

}  // namespace

/// A stray with what its calls need.
struct Sweeper::Case {
  Stray stray;
  SweepPlace place;
  Grant grant;
  const DriverSlot* slot = nullptr;

  std::string account() const { return place.scope + "/" + grant.fingerprint; }
};

bool Sweeper::load(const std::string& stray_id, Case& found) const {
  bool complete = false;
  port_.store.read([&](const ReadTx& tx) {
    const Stray* stray = tx.strays().find(stray_id);
    const SweepPlace* place = stray ? tx.sweepPlaces().find(joinKey(stray->scope, stray->grant_id)) : nullptr;
    if (!place) return;
    complete = true;
    found.stray = *stray;
    found.place = *place;
    if (const Grant* grant = tx.grants().find(stray->grant_id)) found.grant = *grant;
  });
  found.slot = complete ? port_.drivers.byInstance(found.stray.instance) : nullptr;
  return complete;
}

void Sweeper::visit(const std::string& stray_id) {
  Case subject;
  if (busy_.contains(stray_id) || !load(stray_id, subject)) return;
  if (!subject.slot || !subject.slot->driver) {
    return port_.later(kAbsentDriverPauseMs, [this, stray_id] { visit(stray_id); });
  }
  const std::int64_t now = port_.store.now();
  const StrayAction action = planStray(subject.stray, sweepProfileOf(subject.slot->driver->info()), now);
  switch (action.step) {
    case StrayStep::kNone:
      return;
    case StrayStep::kWait:
      // Capped: a jump of the wall clock is harmless then.
      return port_.later(std::clamp<std::int64_t>(action.at - now, 1, 60000), [this, stray_id] { visit(stray_id); });
    case StrayStep::kLookByName:
      return look(subject, true);
    case StrayStep::kLook:
      return look(subject, false);
    case StrayStep::kDestroy:
      return destroy(subject);
    case StrayStep::kForget:
      return forget(subject);
  }
}

/// Changes the row of a stray that is still there, and goes on with it. An answer that cannot be stored is not lost:
/// the step is repeated.
void Sweeper::change(const std::string& stray_id, std::function<Status(Tx&, Stray)> body) {
  busy_.insert(stray_id);
  port_.commit(
      [stray_id, body = std::move(body)](Tx& tx) -> Status {
        const Stray* stray = tx.strays().find(stray_id);
        return stray ? body(tx, *stray) : okStatus();
      },
      [this, stray_id](const Status& status) {
        busy_.erase(stray_id);
        if (status.ok()) return visit(stray_id);
        port_.later(kShortestStrayPendingMs, [this, stray_id] { visit(stray_id); });
      });
}

void Sweeper::look(const Case& subject, bool by_name) {
  const std::string id = subject.stray.stray_id;
  busy_.insert(id);
  auto seen = std::make_shared<Observation>();
  port_.call(
      *subject.slot, subject.account(),
      [seen, by_name, stray = subject.stray, context = contextOf(subject.place, subject.grant, kStrayLookDeadlineMs),
       driver = subject.slot->driver] {
        if (!context.ok()) {
          seen->error = context.status();
          return;
        }
        std::vector<Observation> answers = driver->observe(*context, {refTo(stray, by_name)});
        *seen = answers.empty() ? Observation{.error = Status(Code::kUnknown, "the driver said nothing about it")}
                                : std::move(answers.front());
      },
      [this, id, seen, by_name, begun = port_.store.now()] {
        change(id, [this, seen, by_name, begun](Tx& tx, Stray stray) {
          return recordLook(tx, std::move(stray), *seen, by_name, begun, port_.random);
        });
      });
}

/// Intent first: the op is recorded, with a last look at the records, before anything is sent.
void Sweeper::destroy(const Case& subject) {
  const std::string id = subject.stray.stray_id;
  busy_.insert(id);
  auto sent = std::make_shared<Stray>();
  const bool whole = storeIsWhole();
  port_.commit(
      [this, id, sent, whole](Tx& tx) -> Status {
        *sent = {};
        const Stray* present = tx.strays().find(id);
        if (!present) return okStatus();
        Stray stray = *present;
        if (!whole) {
          const Status cause = unavailable("the store has rows that cannot be read, or cannot write");
          return postpone(tx, stray, cause, "deleting it", port_.random);
        }
        if (unknownOf(tx, stray.instance, {sightOf(stray)}).empty()) {
          return refuse(tx, stray, "a record knows it now; it was left alone");
        }
        if (stray.op_id.empty() || stray.accepted_at > 0) stray.op_id = newId(port_.random);
        stray.accepted_at = 0;
        stray.sent_at = tx.now();
        *sent = stray;
        return tx.strays().put(std::move(stray));
      },
      [this, id, sent, subject](const Status& status) {
        busy_.erase(id);
        if (!status.ok()) return port_.later(kShortestStrayPendingMs, [this, id] { visit(id); });
        if (sent->op_id.empty() || *port_.cancelled) return;
        busy_.insert(id);
        auto result = std::make_shared<ItemResult>();
        port_.call(
            *subject.slot, subject.account(),
            [result, stray = *sent, context = contextOf(subject.place, subject.grant, kDestroyDeadlineMs),
             driver = subject.slot->driver] {
              if (!context.ok()) {
                result->error = context.status();
                return;
              }
              CallContext call = *context;
              call.op_id = stray.op_id;
              call.attempt = stray.attempts + 1;
              std::vector<ItemResult> answers = driver->destroy(call, {refTo(stray, false)});
              *result = answers.empty() ? ItemResult{.error = Status(Code::kUnknown, "the driver gave no answer")}
                                        : std::move(answers.front());
            },
            [this, id, result] {
              change(id, [this, result](Tx& tx, Stray stray) {
                return recordAnswer(tx, std::move(stray), *result, port_.random);
              });
            });
      });
}

void Sweeper::forget(const Case& subject) {
  port_.log.warn("SWEEP_DELETED", "an object that no record knew was deleted and is proven gone",
                 {{"id", subject.stray.stray_id},
                  {"instance", subject.stray.instance},
                  {"name", subject.stray.name},
                  {"cloud_id", subject.stray.cloud_id},
                  {"by", subject.stray.want_by}});
  change(subject.stray.stray_id, [](Tx& tx, const Stray& stray) {
    return forgetStray(tx, stray, "gone", "deleted by " + stray.want_by + ", and proven gone");
  });
}

}  // namespace vcc

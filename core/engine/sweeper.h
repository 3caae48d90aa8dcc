// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "engine/frozen_request.h"
#include "engine/sweep_records.h"
#include "plugin_host/driver.h"
#include "secrets/sealer.h"
#include "store/store.h"

namespace vcc {

/// How the sweep works (config/occtr.yml).
struct SweepOptions {
  std::int64_t interval_s = 3600;  ///< 0: only on request
  std::int64_t grace_s = 86400;    ///< how long an object is unknown before it may be deleted
  bool may_delete = false;         ///< delete what is unknown; else report it
};

/// What the sweep needs of the deciding thread. All references outlive it.
struct SweepPort {
  Store& store;
  const DriverRegistry& drivers;
  const Sealer& sealer;
  Random& random;
  Logger& log;
  const Clock& clock;
  std::function<std::shared_ptr<const Catalog>()> catalog;
  std::string vcc_id;
  const std::atomic<bool>* cancelled;
  /// A transaction that checks the fence; `then` comes back on the deciding thread.
  std::function<void(std::function<Status(Tx&)> body, std::function<void(const Status&)> then)> commit;
  /// Runs `blocking` on the driver's executor, in the account's turn, and `after` on the deciding thread.
  std::function<void(const DriverSlot&, const std::string& account, Job blocking, Job after)> call;
  std::function<void(std::int64_t after_ms, Job)> later;
};

/// Looks for objects of ours in the clouds that no record knows (architecture 10). Each account at each place that has
/// machines, or had some, is listed at a slow jittered pace, one list at a time. What is found is reported; it is
/// deleted, by ops of its own, when an administrator asks, or unasked under the guards of `isRipe` while the store is
/// whole. A place whose machines are all gone is forgotten, and its grant wiped, after one complete clean list.
///
/// Belongs to the deciding thread.
class Sweeper {
 public:
  Sweeper(SweepPort port, SweepOptions options) : port_(std::move(port)), options_(options) {}

  /// After the engine took over: goes on with deletions and plans the lists.
  void start();
  /// Lists every place as soon as can be.
  void sweepNow();
  /// Goes on with the deletion of a stray.
  void visit(const std::string& stray_id);

  /// The place of machines to be asked for now, for notePlace; empty scope: it is not swept.
  SweepPlace placeOf(const Machine& machine, const DriverInfo& info, const std::string& catalog_entry) const;

 private:
  struct Account {  // places that one list serves
    std::vector<SweepPlace> places;
    Grant grant;
    const DriverSlot* slot = nullptr;
    bool unused_since_list = false;  // one of its places waits only for a clean list
    std::int64_t quiet_at = 0;       // when that list may begin, wall clock
  };
  struct Pace {
    std::int64_t due = 0;  // monotonic ms
    std::int64_t failures = 0;
    bool in_flight = false;
  };
  struct Survey {
    std::map<std::string, Account> accounts;
    std::map<std::string, Machine> unnoted;  // one machine of each place that has no row, by key
    std::vector<std::string> finished;       // places that need no list any more
  };

  // sweeper.cpp: when which list is made
  void tick();
  void planNext();
  Survey survey() const;
  void tidy(const Survey& survey);
  void begin(const std::string& key, const Account& account);
  /// `begun`: monotonic.
  void end(const std::string& key, Sighting sighting, std::int64_t begun, const Status& status);
  std::int64_t jitter(std::int64_t most_ms);
  Result<std::string> entryFor(const Machine& machine);

  // stray_deletion.cpp: what becomes of a stray that is to go
  struct Case;
  bool load(const std::string& stray_id, Case& found) const;
  void look(const Case& subject, bool by_name);
  void destroy(const Case& subject);
  void forget(const Case& subject);
  void change(const std::string& stray_id, std::function<Status(Tx&, Stray)> body);
  bool storeIsWhole() const;
  Result<CallContext> contextOf(const SweepPlace& place, const Grant& grant, std::int64_t deadline_ms) const;

  SweepPort port_;
  SweepOptions options_;
  ThawedRequests thawed_;
  std::map<std::string, Pace> pace_;      // by account
  std::unordered_set<std::string> busy_;  // strays with a call or commit under way
  std::int64_t tick_no_ = 0;              // timers of an older tick are void
};

/// The driver's facts that the sweep depends on.
Profile sweepProfileOf(const DriverInfo& info);

}  // namespace vcc

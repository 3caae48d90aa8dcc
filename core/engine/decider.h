// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/mutex.h"
#include "engine/agenda.h"
#include "engine/call_queue.h"
#include "engine/check.h"
#include "engine/conditions.h"
#include "engine/engine.h"
#include "engine/frozen_request.h"
#include "engine/retry.h"
#include "engine/sweeper.h"
#include "model/plan.h"

namespace vcc {

class TargetFile;
class Watcher;
struct TargetPort;
struct WatchAim;
struct WatchedPorts;
struct WatchPort;

/// Who a machine is asked for with: the place, and the account that the credentials are of at present.
std::string accountOf(const Machine& machine, const std::string& fingerprint);

/// One node with everything recorded around it, copied out of the store for one visit.
struct Visit {
  Vc vc;
  Unit unit;
  Node node;
  std::optional<Machine> machine;
  std::shared_ptr<const FrozenRequest> request;  ///< of `machine`
  std::optional<Op> op;
  std::size_t item = 0;
  Grant grant;  ///< of the machine, or of the unit while there is none; no id = no credentials
  const DriverSlot* slot = nullptr;
  CatalogEntry entry;  ///< the present one; when it is gone, the one that the machine was asked for with
  Profile profile;

  Mates mates;
  DiskTies ties;
  std::int64_t now = 0;  ///< when all this was so

  /// What may share a call with others.
  std::string account() const { return accountOf(*machine, grant.fingerprint); }
  Snapshot snapshot() const {
    return {node, machine ? &*machine : nullptr, op ? &*op : nullptr, item, profile, mates, ties};
  }
};

/// One machine in a call of an op.
struct Sending {
  std::size_t index = 0;  ///< of its item in the op
  Machine machine;
  std::string display_name;  ///< <group>-<unit>-<no>
  bool was_in_doubt = false;
};

/// One call of an op.
struct Sendings {
  std::vector<Sending> items;
  bool others_may_go = false;  ///< beside it: what else is due of the op shares nothing with these
};

/// What a list showed, by machine: matched by cloud id when that is known, else by name, else by (op, item). What is
/// ambiguous there is not found. Borrows the observations.
class Sightings {
 public:
  explicit Sightings(const std::vector<Observation>& listed);
  const Observation* of(const Machine& machine) const;

 private:
  static std::string itemKey(const std::string& op, std::int64_t index);
  void add(std::string key, const Observation& seen);

  std::unordered_map<std::string, const Observation*> by_key_;
};

/// The machine as an item of a call.
MachineRef refOf(const Machine& machine, std::size_t index);

/// The heart of the engine (architecture 3.2): queue, timers, batching and the execution of `plan`. All methods but
/// `post`, `wake`, `lookAt`, `hearOfMembers`, `sweepNow`, `visitStray`, the two of checks and `status` belong to one
/// thread, the deciding thread; whatever blocks runs on an executor and comes back through `post`. A node with a call
/// or commit under way is busy: it is visited again when that has ended.
class Decider {
 public:
  Decider(Engine::Seams seams, EngineOptions options);
  ~Decider();

  /// Takes the lease on the shard and queues everything that is unsettled; what is in doubt stays so from now on.
  Status takeOver();

  /// Queues work for the deciding thread. Any thread.
  void post(Job job);
  void wake(const std::vector<std::string>& node_ids);
  void sweepNow();
  void visitStray(const std::string& stray_id);
  Result<std::string> startCheck(const std::string& vcid);
  Result<CheckResult> checkReport(const std::string& id);
  void lookAt(const std::vector<std::string>& node_ids);
  void hearOfMembers(std::vector<SerfMember> members);

  /// Does everything that is due; returns the milliseconds until the next thing is (at most 60,000).
  std::int64_t pump();
  /// Blocks until something is posted, `timeout_ms` has passed or `interrupt` was called.
  void waitForWork(std::int64_t timeout_ms);
  void interrupt();

  /// The end, after the last `pump`: calls in flight are cancelled, waited for, and what they answer is recorded.
  void stop();

  EngineStatus status() const;
  std::vector<Condition> conditions() const;

 private:
  using Body = std::function<Status(Tx&)>;
  /// What a commit that failed leads to: default is another visit later.
  using Then = std::function<void(const Status&)>;

  // decider.cpp: the loop
  void visit(const std::string& node_id);
  Result<Visit> look(const std::string& node_id);
  Result<CatalogEntry> entryOf(const Visit& visit) const;
  void carryOut(const Visit& visit, const Action& action);
  void schedule(const std::string& node_id, std::int64_t after_ms);
  void revisit(const std::vector<std::string>& node_ids);
  void commit(std::vector<std::string> node_ids, Body body, Then then = {});
  /// Is the lease still this one's? Asked on an executor, right before a call that changes a cloud: who takes the lease
  /// counts on it that no call begins later.
  bool mayCall() const;
  /// Gives the nodes free after a call that needed no commit.
  void release(const std::vector<std::string>& node_ids);
  void later(std::int64_t after_ms, Job job);
  void runOn(Executor& executor, Job blocking, Job after);
  void endExecutors();
  SweepPort sweepPort();
  void keepHouse();

  // driver_calls.cpp: who may call a driver, and when
  struct DriverPool {
    CallQueue queue;
    std::unique_ptr<Executor> executor;
  };
  DriverPool& poolOf(const DriverSlot& slot);
  /// `begin` runs when the account's turn has come, and then owes a `leaveDriver`.
  void queueCall(const DriverSlot& slot, const std::string& account, const std::string& user, CallQueue::Kind kind,
                 Job begin);
  void leaveDriver(const DriverSlot& slot, const std::string& account);
  /// `blocking` on the driver's pool when the account's turn has come, then `after` on the deciding thread.
  void callInTurn(const DriverSlot& slot, const std::string& account, const std::string& user, CallQueue::Kind kind,
                  Job blocking, Job after);
  void callForNode(const Visit& visit, CallQueue::Kind kind, Job blocking, Job after);
  /// The same for a look that no user waits for.
  void askDriver(const DriverSlot& slot, const std::string& account, Job blocking, Job after);
  /// What an answer means for the whole account: a pause when it is throttled; for `kExisting` also a condition when
  /// its credentials are refused, which ends with the next success.
  void heed(const Visit& asked, const Status& error, CallKind kind);
  /// The node cannot go on for want of its driver, its catalog entry or its request.
  void noteWaiting(const std::string& node_id, const Status& why);
  void endWaiting(const std::string& node_id);
  /// Begins what may begin; returns when the next pause ends (monotonic), if anything waits for one.
  std::optional<std::int64_t> flushCalls();

  // make_ops.cpp: intents
  void flushCreates();
  void makeOps(const std::string& unit_id, const std::vector<std::string>& node_ids);
  void wantChange(const Visit& visit, OpVerb verb);
  void flushChanges();

  // ops.cpp: recorded changes
  void sendOp(const Visit& visit);
  void beginOp(const std::string& node_id, const std::string& op_id, const DriverSlot& slot,
               const std::string& account);
  void startOp(const Visit& visit, const std::string& account);
  void callDriver(const Op& op, Sendings sendings, const Visit& visit, const std::string& account);
  void recordResults(const Op& sent, const Sendings& sendings, const std::vector<ItemResult>& results,
                     const Visit& asked);
  void noteBatch(const Op& sent, const std::vector<ItemResult>& results, bool halved, const Visit& asked);

  // observations.cpp: point reads, gathered by account
  void wantObservation(const Visit& visit);
  void wantPointRead(const Visit& visit);
  /// Begins the looks that are due; returns when the next list is (monotonic), if one is wanted.
  std::optional<std::int64_t> flushObservations();
  void beginPointReads(const std::string& account, std::vector<Visit> looked);
  /// `begun`: monotonic.
  void recordObservations(const std::vector<Visit>& looked, const std::vector<Observation>& seen, std::int64_t begun);

  // lists.cpp: one look for all machines of an account
  struct ListAnswer {
    Status error;
    bool complete = false;
    std::vector<Observation> seen;
    std::int64_t took_ms = 0;
  };
  /// `then` gets the answer, and the monotonic time when the call began.
  void beginList(const std::string& account, const Visit& sample,
                 std::function<void(const ListAnswer&, std::int64_t begun)> then);
  void takeList(const std::string& account, const Visit& sample, const std::vector<std::string>& node_ids,
                const ListAnswer& answer, std::int64_t begun);

  // quiet.cpp: settled nodes, rarely
  void planQuietRound();
  void lookAround(const std::vector<std::string>& node_ids);
  void lookAroundByPointReads(const Visit& sample, const std::vector<std::string>& node_ids, std::size_t first);
  void beginQuietReads(const Visit& sample, const std::vector<std::string>& node_ids, std::size_t first);
  void lookAtSuspects(const std::vector<std::string>& node_ids,
                      const std::function<const Observation*(const Machine&)>& sightOf);
  void lookAgain(const Visit& visit);

  // host_turns.cpp: whose host is visited next
  void wantHost(const Visit& visit);
  void takeHostTurn(const std::string& node_id, const std::string& user);
  /// `blocking` on a thread for hosts, then `after`; both are of the place that `user` was given.
  void runOnHost(const std::string& user, Job blocking, Job after);
  /// The same for a look that watching wants, which waits for the turn of the user and the unit.
  void lookInTurn(const std::string& user, const std::string& unit_id, Job blocking, Job after);
  void flushHosts();

  // host_steps.cpp: what happens on the machine, in the node's turn. False: it needs no visit.
  bool visitHost(const Visit& visit, const Action& action);
  void onHost(const Visit& visit, Job blocking, Job after);
  /// The machine let us in: its host key is pinned, and the node goes on to `next`; `change` (may be empty) says more.
  void noteLogin(const Visit& visit, const std::string& host_key, Step next,
                 std::function<void(Node&, std::int64_t now)> change);
  bool inspectHost(const Visit& visit);
  /// What a look found decides how the node goes on: to its preparation, its image or its container.
  void noteHost(const Visit& visit, const ContainerSpec& spec, const HostReport& seen);
  bool runContainer(const Visit& visit);
  bool probeReady(const Visit& visit);
  bool stopContainer(const Visit& visit);
  bool releaseHost(const Visit& visit);
  void abandonHost(const Visit& visit);
  Host& hostOf(const Visit& visit) const;
  HostTarget targetOf(const Visit& visit) const;
  Result<ContainerSpec> specOf(const Visit& visit) const;
  Result<std::string> controllerAddressFor(const Visit& visit) const;

  // prepare_steps.cpp: what must be done on the machine before its container is started
  void beginPreparation(const Visit& visit, const HostReport& seen);
  void lookAgainAfterJob(const Visit& visit, const HostReport& seen);
  bool prepareHost(const Visit& visit);
  void noteJob(const Visit& visit, const ContainerSpec& spec, const Result<JobReport>& report);
  void endPreparation(const Visit& visit, const ContainerSpec& spec, const JobReport& report);
  void noteProgress(const Visit& visit, const std::string& progress);
  Result<HostNeeds> needsOf(const Visit& visit) const;

  // watch_ports.cpp: what the watching of hosts and the target file borrow
  WatchPort watchPort();
  TargetPort targetPort();
  Result<WatchedPorts> watchedPortsOf(const std::string& node_id);
  Result<WatchAim> watchAimOf(const std::string& node_id);
  void observeSoon(const std::string& node_id);

  // disk_steps.cpp: disks of other units on the machine
  void attachDisks(const Visit& visit);
  void releaseDisks(const Visit& visit);
  void moveDisks(const Visit& visit, bool on, std::vector<Attachment> ties);
  void askForDisks(const Visit& visit, const std::vector<Attachment>& ties);
  void keepDisk(const Visit& visit);

  // check.cpp: fresh looks at everything
  void beginCheck(const std::shared_ptr<CheckRun>& run);
  void watchCheck(const std::shared_ptr<CheckRun>& run, std::int64_t deadline);
  void gatherCheck(const std::shared_ptr<CheckRun>& run);
  void gatherNode(CheckRun& run, const std::string& node_id);
  void askCloud(const std::shared_ptr<CheckRun>& run, const std::string& key);
  void takeCheckList(CheckRun& run, const std::string& key, const std::vector<Observation>& seen);
  void askPointReads(const std::shared_ptr<CheckRun>& run, const std::string& key);
  void askHosts(const std::shared_ptr<CheckRun>& run);
  void askHost(const std::shared_ptr<CheckRun>& run);
  void publishCheck(CheckRun& run) const;
  void endCheckIfDone(const std::shared_ptr<CheckRun>& run);
  void endCheck(const std::shared_ptr<CheckRun>& run);

  // transitions.cpp: what the records become
  void goTo(const Visit& visit, Step step, std::function<void(Node&)> more = {});
  void settle(const Visit& visit);
  void endWithoutContainer(const Visit& visit);
  void giveUp(const Visit& visit, const std::string& text);
  void failStep(const Visit& visit, const Status& error, CallKind kind);
  void closeOp(const Visit& visit);
  void forgetMachine(const Visit& visit, const std::string& reason);
  void forgetNode(const Visit& visit);

  Result<CallContext> callContext(const Visit& visit, std::int64_t deadline_ms) const;
  Result<SecretString> credentialsOf(const Visit& visit) const;

  Engine::Seams seams_;
  EngineOptions options_;
  std::int64_t fence_ = 0;
  bool fenced_ = false;

  /// Shared with the callbacks that post into it: the store may answer after the decider is gone.
  struct Inbox {
    Mutex mutex;
    CondVar posted;
    std::deque<Job> jobs VCC_GUARDED_BY(mutex);
    bool interrupted VCC_GUARDED_BY(mutex) = false;

    void post(Job job);
  };
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();

  ThawedRequests thawed_;
  std::unique_ptr<Sweeper> sweeper_;
  CheckBoard checks_;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<TargetFile> targets_;  // null: none is asked for
  Agenda agenda_;
  std::multimap<std::int64_t, Job> timers_;     // monotonic ms
  std::unordered_set<std::string> busy_;        // nodes with a call or commit under way
  std::unordered_set<std::string> again_;       // busy nodes that were asked for meanwhile
  std::unordered_set<std::string> to_look_at_;  // nodes whose next visit reads their machine, also when nothing is due
  std::unordered_set<std::string> ops_in_flight_;
  std::int64_t commits_ = 0;                                 // under way
  std::map<std::string, std::vector<std::string>> creates_;  // unit id -> nodes that want a machine
  /// Machines to be destroyed or switched, by Visit::account, VC and verb.
  std::map<std::tuple<std::string, std::string, OpVerb>, std::vector<Visit>> changes_;
  /// The looks at one account.
  struct Account {
    std::vector<Visit> to_look;        // by point read; busy
    std::set<std::string> to_list;     // nodes; not busy
    std::optional<Visit> list_sample;  // one of `to_list`
    bool looking = false;              // a point read is under way, or waits for a place
    bool listing = false;
    std::int64_t list_at = 0;       // monotonic: no list before
    std::int64_t lists_failed = 0;  // in a row; until `list_at` there are point reads instead
    std::int64_t throttled = 0;     // answers in a row that asked for a pause
    bool idle() const { return to_look.empty() && to_list.empty() && !looking && !listing && throttled == 0; }
  };
  std::map<std::string, Account> accounts_;                    // by Visit::account
  std::unordered_map<std::string, std::int64_t> sightings_;    // by machine: last look without news (monotonic)
  std::unordered_map<std::string, std::int64_t> unlisted_at_;  // by machine: first list without it (monotonic)
  Conditions conditions_;
  std::map<std::string, std::string> waiting_;                 // nodes of `noteWaiting`: their condition
  std::unordered_map<std::string, std::size_t> batch_limits_;  // by unit: after a refusal for want of capacity
  std::map<std::string, DriverPool> driver_pools_;             // by instance
  std::unordered_set<std::string> ops_queued_;                 // wait for their turn
  CallQueue host_queue_;                                       // by user, and by unit
  std::unordered_set<std::string> host_turns_;                 // nodes that wait in it
  std::unique_ptr<Executor> ssh_executor_;
  std::unique_ptr<Executor> targets_executor_;
  std::atomic<bool> cancelled_{false};
  std::atomic<std::int64_t> jobs_{0};
  std::atomic<std::int64_t> queue_{0};
};

}  // namespace vcc

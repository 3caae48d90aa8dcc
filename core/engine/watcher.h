// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "engine/agenda.h"
#include "engine/call_queue.h"
#include "engine/conditions.h"
#include "host/host.h"
#include "host/prober.h"
#include "host/serf_protocol.h"
#include "model/watch.h"
#include "store/store.h"

namespace vcc {

/// Facts of a unit's hosts, from its driver and catalog entry.
struct WatchedPorts {
  bool simulated = true;  ///< there is nothing to ask
  int ssh_port = 20022;
  int ready_port = 22;  ///< 0 = none
  std::string network;  ///< "aws/default": hosts that one cut would take away together
};

/// A node as it is now, to be looked into.
struct WatchAim {
  Node node;
  Machine machine;
  HostTarget target;
  Host* host = nullptr;
  bool asserted = false;
};

/// What the watcher borrows from the engine; all outlive it. Everything but `post` is for the deciding thread.
struct WatchPort {
  const Store& store;
  const Clock& clock;
  Logger& log;
  std::string vcc_id;
  std::function<Result<WatchedPorts>(const std::string& node_id)> ports;
  std::function<Result<WatchAim>(const std::string& node_id)> aim;
  /// Asks the cloud for the machine; what it says is for engine/sight.h.
  std::function<void(const std::string& node_id)> observe;
  std::function<void(std::function<Status(Tx&)> body)> commit;
  /// `blocking` on a thread for hosts when the turn of the user and the unit has come, then `after` on the deciding
  /// thread.
  std::function<void(const std::string& user, const std::string& unit_id, Job blocking, Job after)> look;
  std::function<void(std::int64_t after_ms, Job)> later;
  std::function<void(Job)> post;  ///< any thread
};

struct WatchOptions {
  std::int64_t interval_ms = 30000;  ///< how often each port is asked
  bool gpu = false;                  ///< ask for GPU exporters as well
};

/// Watches the hosts of settled nodes with `watch_mode` (operations 4.8): cheap probes of their ports, and what others
/// say of them (serf, POST /vcs/fail), are hints; a hint leads to a look over ssh and at the cloud; two looks that
/// agree lead to CONTAINER_ERROR or HOST_ERROR, one that is good to the way back (model/watch.h). Hosts that a cut
/// between them and the controller may have taken away stay what they are, and a condition says so. Belongs to the
/// deciding thread.
class Watcher {
 public:
  using ProberMaker = std::function<std::unique_ptr<Prober>(ProbeReport)>;

  Watcher(WatchPort port, WatchOptions options);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// `make` may be empty, and may make nothing: then nobody is watched.
  void start(const ProberMaker& make);
  /// No more probes; what is under way may still end.
  void stop();

  /// Somebody says that something is wrong with the node: it is looked at, over ssh and by its cloud. False when it is
  /// not watched.
  bool suspect(const std::string& node_id);
  /// The news of serf.
  void hear(const std::vector<SerfMember>& members);

  /// What is known of the node, in words: "answers, serf alive", "22 silent", "off".
  std::string describe(const Node& node) const;
  bool hasGpu(const std::string& node_id) const;
  /// Raised when an answer of `hasGpu` changes.
  std::int64_t gpuVersion() const { return gpu_version_; }
  /// How many are watched. Thread safe, like `conditions`.
  std::int64_t count() const { return count_; }
  std::vector<Condition> conditions() const { return conditions_.all(); }

 private:
  struct Sign {
    PortSign sign = PortSign::kUnknown;
    std::string why;
  };
  struct Watched {
    std::string unit_id, vcid, user, address, name;  ///< `name`: of its serf agent
    const WatchedPorts* ports = nullptr;             ///< of its unit
    bool ready_wanted = false;
    State state = State::kRunning;
    std::uint64_t round = 0;
    Sign ssh, ready;
    bool gpu = false;
    bool waiting = false;  ///< for a turn to be looked at
    bool looking = false;
    std::int64_t looked_at = 0;  ///< monotonic; 0 = never
    WatchFinding finding = WatchFinding::kUnsure;
    std::int64_t since = 0;  ///< monotonic: the first look that found so
    std::string blind;       ///< why the controller cannot look into it
  };
  struct UnitPorts {
    WatchedPorts ports;
    std::string name;
    std::int64_t until = 0;  ///< monotonic: to be asked for anew
  };
  struct Network {
    std::size_t watched = 0;
    std::size_t silent = 0;
    std::size_t blind = 0;
    std::string silent_sample, blind_sample;
    std::set<std::string> silent_vcids, blind_vcids;
  };
  struct Seen;  // a node in the store

  // watcher.cpp: who is watched
  void beginRound();
  void readSlice();
  void endRound();
  void keep(const Seen& seen);
  const UnitPorts& portsOf(const Seen& seen);
  void askPorts(const std::string& node_id, const Watched& watched) const;
  void drop(const std::string& node_id);
  void takeResults(const std::vector<ProbeResult>& results);
  bool isSilent(const Watched& watched) const;
  void weigh();
  void judgeAnew(const std::string& network);
  bool isHeld(const std::string& network) const { return held_.contains(network); }

  // watch_looks.cpp: looks and what follows
  void wantLook(const std::string& node_id, std::int64_t at_ms);
  void drive();
  void wantTurn(const std::string& node_id);
  /// False: there was nothing to look at, and the turn is over.
  bool beginLook(const std::string& node_id, const std::string& user);
  void endLook(const std::string& node_id, const WatchAim& aim, const Result<HostReport>& report, std::int64_t begun);
  void follow(const WatchAim& aim, const Watched& watched, const FoundContainer& container,
              std::optional<State> to) const;
  std::string textOf(const WatchAim& aim, const Watched& watched, const FoundContainer& container) const;

  WatchPort port_;
  const WatchOptions options_;
  const WatchPatience patience_;
  std::unique_ptr<Prober> prober_;
  std::unordered_map<std::string, Watched> watched_;       // by node
  std::unordered_map<std::string, UnitPorts> ports_;       // by unit; stays where it is
  std::unordered_map<std::string, std::string> names_;     // nodes by the name of their serf agent
  std::unordered_map<std::string, MemberStatus> members_;  // of serf, by name
  std::uint64_t round_ = 0;
  std::string cursor_;
  std::map<std::string, std::int64_t> held_;  // networks whose losses are held back, since when
  Conditions conditions_;
  Agenda looks_;
  CallQueue turns_;            // of looks that are due, by user and by unit
  std::int64_t woken_at_ = 0;  // monotonic: when `drive` is called next
  std::int64_t gpu_version_ = 0;
  std::atomic<std::int64_t> count_{0};
};

}  // namespace vcc

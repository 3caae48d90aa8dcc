// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "spec.h"
#include "state_file.h"
#include "vcp/plugin/cpp/driver.h"

namespace mock {

/// A machine or a disk of the simulated cloud: the fold of its lines in the state file.
struct Machine {
  std::string id;
  std::string token;         ///< op id + "#" + item index of the create that made it
  std::string request_hash;  ///< tells a repeated create from another one with the same token
  std::string name;
  std::string display_name;
  std::string vcc;
  std::uint32_t address = 0;
  vcp::plugin::State state = vcp::plugin::State::kRunning;
  vcp::plugin::Reason reason = vcp::plugin::Reason::kUnknown;
  std::string detail;
  std::int64_t created_ms = 0;
  std::int64_t changed_ms = 0;
  std::int64_t ready_ms = 0;  ///< until then a running machine is still being provisioned
  bool boot_fails = false;    ///< then it is failed instead of running
  std::string extra = "{}";   ///< JSON: labels, tags, volume_id, size, cloud_image
  bool is_disk = false;       ///< then it has no address
  std::string holder;         ///< of a disk: the machine that it was attached to

  bool isTerminated() const { return state == vcp::plugin::State::kGone; }
  /// The state as seen at `now_ms`.
  vcp::plugin::State at(std::int64_t now_ms) const;
};

/// The simulated cloud behind one state file. Thread safe; other processes may use the same file.
class Cloud {
 public:
  Cloud(vcp::plugin::Host host, std::string path) : host_(host), file_(std::move(path)) {}

  /// The cloud inside of `transact`.
  class View {
   public:
    explicit View(Cloud& cloud) : cloud_(cloud) {}
    const Machine* byId(const std::string& id) const;
    const Machine* byToken(const std::string& token) const;
    /// By id when it is not empty, else by name; one that is there, or was. Not a disk.
    const Machine* find(std::string_view id, std::string_view name) const;
    /// The same for a disk that exists.
    const Machine* findDisk(std::string_view id, std::string_view name) const;
    /// The machine that holds the disk at present; null: none does, or it exists no more.
    const Machine* holderOf(const Machine& disk) const;
    bool isTaken(std::uint32_t address) const { return cloud_.addresses_.count(address) > 0; }
    /// 0 when the network is full.
    std::uint32_t freeAddress(const Network& network);
    void add(Machine machine);
    void change(const std::string& id, vcp::plugin::State state, std::int64_t now_ms, std::int64_t ready_ms);
    void attach(const std::string& disk, const std::string& machine);
    void each(const std::function<bool(const Machine&)>& visit) const;

   private:
    const Machine* any(std::string_view id, std::string_view name) const;
    friend class Cloud;
    Cloud& cloud_;
    std::string lines_;
  };

  /// Runs `body` on the present state, alone among all threads and processes, and writes what it changed before it
  /// returns. When this throws nothing was changed. Waits for the lock until the call's deadline.
  void transact(const vcp::plugin::Call& call, const std::function<void(View&)>& body);

  /// Takes one request from an allowance of `per_s` requests a second. Returns 0, or the milliseconds until there is
  /// one.
  std::int64_t throttle(std::int64_t per_s);

 private:
  void reset();
  void applyLine(std::string_view line);
  void applyRecord(const vcp::plugin::Json& record);
  void index(const Machine& machine);
  void compactIfWorthIt();

  const vcp::plugin::Host host_;
  std::mutex mutex_;  // guards everything below; taken before the file's lock
  StateFile file_;
  std::unordered_map<std::string, Machine> machines_;      // by id
  std::unordered_map<std::string, std::string> by_token_;  // -> id
  std::unordered_map<std::string, std::string> by_name_;   // -> id
  std::unordered_set<std::uint32_t> addresses_;            // of machines that are not terminated
  std::map<std::uint32_t, std::uint32_t> next_address_;    // by network: where the search for a free one goes on
  std::int64_t lines_ = 0;                                 // in the file
  std::int64_t skipped_ = 0;                               // of them, not understood

  std::mutex rate_mutex_;  // guards the two below
  double allowance_ = -1;  // < 0: nothing was asked yet
  std::int64_t allowance_mono_ms_ = 0;
};

}  // namespace mock

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/executor.h"

namespace vcc {

/// Which call goes next where only so many may run at once: a driver instance (its declared concurrency). Fair between
/// accounts, and between the users of an account; within an account what takes something away goes first, then looks,
/// then the rest. An account never has all places, so that one whose cloud is slow or dead cannot keep the others out.
/// Not thread safe: it belongs to the deciding thread.
class CallQueue {
 public:
  enum class Kind : std::uint8_t { kTakeAway, kLook, kMake };
  struct Call {
    std::string account;
    std::string user;
    Kind kind = Kind::kMake;
    Job begin;  ///< has a place from when `next` hands it out until `leave`
  };

  explicit CallQueue(std::size_t places);

  void add(Call call);
  /// Takes out the call that goes next at monotonic `now_ms`; nothing while there is no place for any that waits.
  std::optional<Job> next(std::int64_t now_ms);
  /// A call of the account has ended, at monotonic `now_ms`.
  void leave(const std::string& account, std::int64_t now_ms);
  /// No call of the account begins before monotonic `until_ms`: its cloud asked for a pause.
  void pause(const std::string& account, std::int64_t until_ms);
  /// When the first pause ends that a call waits for; nothing when none does.
  std::optional<std::int64_t> nextAt(std::int64_t now_ms) const;
  std::size_t waiting() const { return waiting_; }

 private:
  /// The calls of one kind, by user in turn.
  class Turns {
   public:
    void add(const std::string& user, Job begin);
    std::optional<Job> next();
    bool empty() const { return by_user_.empty(); }

   private:
    std::map<std::string, std::deque<Job>> by_user_;  // none is empty
    std::string last_;
  };
  struct Account {
    std::map<Kind, Turns> turns;  // none is empty
    std::size_t running = 0;
    std::int64_t paused_until = 0;
  };

  std::size_t places_;
  std::size_t most_of_one_;
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
  std::map<std::string, Account> accounts_;
  std::string last_;
};

}  // namespace vcc

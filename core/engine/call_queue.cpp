// SPDX-License-Identifier: Apache-2.0
#include "engine/call_queue.h"

#include <algorithm>
#include <utility>

namespace vcc {

namespace {

/// The entry whose turn it is after `last`.
template <typename Map>
typename Map::iterator after(Map& map, const std::string& last) {
  const auto next = map.upper_bound(last);
  return next == map.end() ? map.begin() : next;
}

}  // namespace

void CallQueue::Turns::add(const std::string& user, Job begin) { by_user_[user].push_back(std::move(begin)); }

std::optional<Job> CallQueue::Turns::next() {
  if (by_user_.empty()) return std::nullopt;
  const auto turn = after(by_user_, last_);
  last_ = turn->first;
  Job begin = std::move(turn->second.front());
  turn->second.pop_front();
  if (turn->second.empty()) by_user_.erase(turn);
  return begin;
}

CallQueue::CallQueue(std::size_t places)
    : places_(std::max<std::size_t>(places, 1)), most_of_one_(std::max<std::size_t>(places_ - (places_ + 3) / 4, 1)) {}

void CallQueue::add(Call call) {
  accounts_[call.account].turns[call.kind].add(call.user, std::move(call.begin));
  ++waiting_;
}

std::optional<Job> CallQueue::next(std::int64_t now_ms) {
  if (running_ >= places_ || waiting_ == 0) return std::nullopt;
  auto turn = after(accounts_, last_);
  for (std::size_t tried = 0; tried < accounts_.size(); ++tried) {
    Account& account = turn->second;
    if (!account.turns.empty() && account.running < most_of_one_ && account.paused_until <= now_ms) {
      last_ = turn->first;
      const auto first = account.turns.begin();
      auto begin = first->second.next();
      if (first->second.empty()) account.turns.erase(first);
      ++account.running;
      ++running_;
      --waiting_;
      return begin;
    }
    if (++turn == accounts_.end()) turn = accounts_.begin();
  }
  return std::nullopt;
}

void CallQueue::leave(const std::string& account, std::int64_t now_ms) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end() || found->second.running == 0) return;
  --found->second.running;
  --running_;
  const Account& left = found->second;
  if (left.running == 0 && left.turns.empty() && left.paused_until <= now_ms) accounts_.erase(found);
}

void CallQueue::pause(const std::string& account, std::int64_t until_ms) {
  Account& paused = accounts_[account];
  paused.paused_until = std::max(paused.paused_until, until_ms);
}

std::optional<std::int64_t> CallQueue::nextAt(std::int64_t now_ms) const {
  std::optional<std::int64_t> first;
  for (const auto& [name, account] : accounts_) {
    if (account.turns.empty() || account.paused_until <= now_ms) continue;
    first = std::min(first.value_or(account.paused_until), account.paused_until);
  }
  return first;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mock {
namespace {

using vcp::plugin::Json;
using vcp::plugin::Outcome;
using vcp::plugin::Reason;
using vcp::plugin::State;

constexpr std::int64_t kLockRetryMs = 2;
constexpr std::int64_t kTombstoneMs = 24 * 3'600'000;  // the token_ttl_ms of the descriptor
constexpr std::int64_t kCompactSlack = 1000;

constexpr std::array<std::pair<const char*, State>, 8> kStates{{
    {"running", State::kRunning},
    {"stopped", State::kStopped},
    {"terminated", State::kGone},
    {"provisioning", State::kProvisioning},
    {"stopping", State::kStopping},
    {"terminating", State::kTerminating},
    {"failed", State::kFailed},
    {"gone", State::kGone},
}};
constexpr std::array<std::pair<const char*, Reason>, 5> kReasons{{
    {"unknown", Reason::kUnknown},
    {"requested", Reason::kRequested},
    {"interrupted", Reason::kInterrupted},
    {"host_failure", Reason::kHostFailure},
    {"unpaid", Reason::kUnpaid},
}};

template <class Table, class Value>
const char* nameOf(const Table& table, Value value) {
  for (const auto& [name, entry] : table) {
    if (entry == value) return name;
  }
  return table[0].first;
}
template <class Table, class Value>
void readName(const Table& table, const Json& record, const char* key, Value& out) {
  const std::string text = record.value(key, std::string());
  for (const auto& [name, entry] : table) {
    if (text == name) out = entry;
  }
}

Json toRecord(const Machine& machine) {
  Json record = Json::parse(machine.extra);
  record["id"] = machine.id;
  record["token"] = machine.token;
  record["request"] = machine.request_hash;
  record["name"] = machine.name;
  record["display_name"] = machine.display_name;
  record["vcc"] = machine.vcc;
  if (machine.is_disk) {
    record["kind"] = "disk";
    record["holder"] = machine.holder;
  } else {
    record["address"] = formatIpv4(machine.address);
  }
  record["state"] = nameOf(kStates, machine.state);
  record["reason"] = nameOf(kReasons, machine.reason);
  record["created_ms"] = machine.created_ms;
  record["changed_ms"] = machine.changed_ms;
  record["ready_ms"] = machine.ready_ms;
  if (machine.boot_fails) record["boot_fails"] = true;
  if (!machine.detail.empty()) record["detail"] = machine.detail;
  return record;
}

std::string toLine(const Json& record) { return record.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

State Machine::at(std::int64_t now_ms) const {
  if (state != State::kRunning) return state;
  if (now_ms < ready_ms) return State::kProvisioning;
  return boot_fails ? State::kFailed : State::kRunning;
}

const Machine* Cloud::View::byId(const std::string& id) const {
  const auto it = cloud_.machines_.find(id);
  return it == cloud_.machines_.end() ? nullptr : &it->second;
}

const Machine* Cloud::View::byToken(const std::string& token) const {
  const auto it = cloud_.by_token_.find(token);
  return it == cloud_.by_token_.end() ? nullptr : byId(it->second);
}

const Machine* Cloud::View::find(std::string_view id, std::string_view name) const {
  const Machine* found = any(id, name);
  return found != nullptr && !found->is_disk ? found : nullptr;
}

const Machine* Cloud::View::findDisk(std::string_view id, std::string_view name) const {
  const Machine* found = any(id, name);
  return found != nullptr && found->is_disk && !found->isTerminated() ? found : nullptr;
}

const Machine* Cloud::View::holderOf(const Machine& disk) const {
  const Machine* machine = disk.holder.empty() ? nullptr : byId(disk.holder);
  return machine != nullptr && !machine->isTerminated() ? machine : nullptr;
}

const Machine* Cloud::View::any(std::string_view id, std::string_view name) const {
  if (!id.empty()) return byId(std::string(id));
  const auto it = cloud_.by_name_.find(std::string(name));
  return it == cloud_.by_name_.end() ? nullptr : byId(it->second);
}

std::uint32_t Cloud::View::freeAddress(const Network& network) {
  std::uint32_t& next = cloud_.next_address_[network.base];
  if (next < network.first() || next > network.last()) next = network.first();
  const std::uint32_t begin = next;
  do {
    const std::uint32_t candidate = next;
    next = next == network.last() ? network.first() : next + 1;
    if (!isTaken(candidate)) return candidate;
  } while (next != begin);
  return 0;
}

void Cloud::View::add(Machine machine) {
  lines_ += toLine(toRecord(machine));
  ++cloud_.lines_;
  cloud_.index(machine);
  std::string id = machine.id;
  cloud_.machines_.insert_or_assign(std::move(id), std::move(machine));
}

void Cloud::View::change(const std::string& id, State state, std::int64_t now_ms, std::int64_t ready_ms) {
  const Json record{{"id", id},
                    {"state", nameOf(kStates, state)},
                    {"reason", nameOf(kReasons, Reason::kRequested)},
                    {"changed_ms", now_ms},
                    {"ready_ms", ready_ms}};
  lines_ += toLine(record);
  ++cloud_.lines_;
  cloud_.applyRecord(record);
}

void Cloud::View::attach(const std::string& disk, const std::string& machine) {
  const Json record{{"id", disk}, {"holder", machine}};
  lines_ += toLine(record);
  ++cloud_.lines_;
  cloud_.applyRecord(record);
}

void Cloud::View::each(const std::function<bool(const Machine&)>& visit) const {
  for (const auto& [id, machine] : cloud_.machines_) {
    if (!visit(machine)) return;
  }
}

void Cloud::reset() {
  machines_.clear();
  by_token_.clear();
  by_name_.clear();
  addresses_.clear();
  lines_ = 0;
  skipped_ = 0;
}

void Cloud::index(const Machine& machine) {
  if (!machine.token.empty()) by_token_[machine.token] = machine.id;
  if (!machine.name.empty()) by_name_[machine.name] = machine.id;
  if (!machine.isTerminated() && !machine.is_disk) addresses_.insert(machine.address);
}

void Cloud::applyLine(std::string_view line) {
  ++lines_;
  const Json record = Json::parse(line, nullptr, false);
  try {
    if (!record.is_object()) throw vcp::plugin::invalid("", "not an object");
    applyRecord(record);
  } catch (const std::exception&) {  // a value of another type, or what applyRecord refuses
    ++skipped_;
  }
}

/// A record with an unknown id is a new machine and needs an address, or a disk, which says so; a known id changes what
/// the record names.
void Cloud::applyRecord(const Json& record) {
  const std::string id = record.at("id").get<std::string>();
  const auto known = machines_.find(id);
  Machine machine = known == machines_.end() ? Machine{} : known->second;
  machine.id = id;
  machine.token = record.value("token", machine.token);
  machine.request_hash = record.value("request", machine.request_hash);
  machine.name = record.value("name", machine.name);
  machine.display_name = record.value("display_name", machine.display_name);
  machine.vcc = record.value("vcc", machine.vcc);
  machine.detail = record.value("detail", machine.detail);
  machine.created_ms = record.value("created_ms", machine.created_ms);
  machine.changed_ms = record.value("changed_ms", machine.changed_ms);
  machine.ready_ms = record.value("ready_ms", machine.ready_ms);
  machine.boot_fails = record.value("boot_fails", machine.boot_fails);
  if (record.contains("state")) {
    machine.reason = Reason::kUnknown;  // of the old state
    readName(kStates, record, "state", machine.state);
  }
  readName(kReasons, record, "reason", machine.reason);
  if (record.contains("address")) {
    const auto address = parseIpv4(record.at("address").get<std::string>());
    if (!address) throw vcp::plugin::invalid("/address", "not an IPv4 address");
    machine.address = *address;
  }
  if (record.contains("kind")) machine.is_disk = record.at("kind").get<std::string>() == "disk";
  machine.holder = record.value("holder", machine.holder);
  if (machine.address == 0 && !machine.is_disk)
    throw vcp::plugin::invalid("/id", "changes a machine that does not exist");
  Json extra = Json::parse(machine.extra);
  for (const char* key : {"labels", "tags", "volume_id", "size", "cloud_image"}) {
    if (record.contains(key)) extra[key] = record.at(key);
  }
  machine.extra = extra.dump(-1, ' ', false, Json::error_handler_t::replace);

  if (known != machines_.end() && !known->second.isTerminated()) addresses_.erase(known->second.address);
  index(machine);
  machines_.insert_or_assign(id, std::move(machine));
}

void Cloud::transact(const vcp::plugin::Call& call, const std::function<void(View&)>& body) {
  std::unique_lock<std::mutex> mine(mutex_);
  while (!file_.tryLock()) {
    mine.unlock();
    host_.sleep(call, kLockRetryMs, Outcome::kNotApplied);
    mine.lock();
  }
  struct Unlock {
    StateFile& file;
    ~Unlock() { file.unlock(); }
  } unlock{file_};

  const std::int64_t skipped = skipped_;
  file_.refresh([this] { reset(); }, [this](std::string_view line) { applyLine(line); });
  if (skipped_ > skipped) {
    host_.log(vcp::plugin::Severity::kWarning, "MOCK_STATE_LINES_SKIPPED",
              "the state file has lines that are no records; they are ignored", {{"lines", std::to_string(skipped_)}});
  }
  View view(*this);
  try {
    body(view);
    if (!view.lines_.empty()) file_.append(view.lines_);
  } catch (...) {
    file_.forget();  // memory may be ahead of the file
    throw;
  }
  compactIfWorthIt();
}

/// Writes one line per machine once most lines are history. Machines that went longer ago than their token lives go.
void Cloud::compactIfWorthIt() {
  if (lines_ < 2 * static_cast<std::int64_t>(machines_.size()) + kCompactSlack) return;
  const std::int64_t now_ms = host_.wallMs();
  std::string content;
  for (const auto& [id, machine] : machines_) {
    if (machine.isTerminated() && machine.changed_ms + kTombstoneMs < now_ms) continue;
    content += toLine(toRecord(machine));
  }
  try {
    file_.replace(content);
  } catch (const vcp::plugin::Error& error) {  // only housekeeping failed: what was asked for is written
    host_.log(vcp::plugin::Severity::kWarning, "MOCK_STATE_COMPACT_FAILED", error.message());
    lines_ = 0;
  }
}

std::int64_t Cloud::throttle(std::int64_t per_s) {
  if (per_s == 0) return 0;
  const std::lock_guard<std::mutex> lock(rate_mutex_);
  const std::int64_t now = host_.monotonicMs();
  const auto rate = static_cast<double>(per_s);
  if (allowance_ < 0) {
    allowance_ = rate;
  } else {
    allowance_ = std::min(rate, allowance_ + static_cast<double>(now - allowance_mono_ms_) * rate / 1000);
  }
  allowance_mono_ms_ = now;
  if (allowance_ >= 1) {
    allowance_ -= 1;
    return 0;
  }
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil((1 - allowance_) * 1000 / rate)));
}

}  // namespace mock

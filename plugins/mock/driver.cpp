// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client.h"
#include "spec.h"
#include "vcp/plugin/cpp/disk.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/plugin.h"
#include "vcp_schema.h"

namespace mock {

using vcp::plugin::Attachments;
using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::DiskObservation;
using vcp::plugin::DiskObservations;
using vcp::plugin::DiskState;
using vcp::plugin::Error;
using vcp::plugin::Host;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Json;
using vcp::plugin::Observation;
using vcp::plugin::Observations;
using vcp::plugin::Outcome;
using vcp::plugin::Results;
using vcp::plugin::State;

/// What a mutation came to for one item, kept until the state file is written.
struct Answer {
  enum class Kind : std::uint8_t { kDone, kPending, kError };
  Kind kind = Kind::kDone;
  std::string cloud_id;
  std::string address;
  Error error{Code::kInternal, Outcome::kUnknown, ""};
};

/// A cloud without machines: its state is a file, its time passes by the host's clock. README.md describes it.
class Mock final : public vcp::plugin::Driver,
                   public vcp::plugin::Listing,
                   public vcp::plugin::Power,
                   public vcp::plugin::Disks {
 public:
  Mock(Host host, std::string_view config) : host_(host) {
    const Json json = vcp::plugin::parseObject(config, "config");
    data_dir_ = vcp::plugin::textOf(json, "data_dir", "").value_or("");
    if (data_dir_.empty()) data_dir_ = ".";
  }

  std::string_view schema() const override { return vcp_schema::kText; }

  void validate(std::string_view cloud_params, std::string_view catalog_entry) override {
    checkParams(vcp::plugin::parseObject(cloud_params, "cloud_params"), parseKnobs(catalog_entry).network);
  }

  void probe(const Call& call) override {
    const Knobs knobs = enter(call, "probe");
    cloud(knobs).transact(call, [](Cloud::View&) {});
  }

  void create(const Call& call, std::string_view spec, const Items& items, Results& out) override {
    const Knobs knobs = enter(call, {});
    const Json request = vcp::plugin::parseObject(spec, "spec");
    change(call, knobs, "create", items, out,
           [&](Cloud::View& view, const Item& item) { return createOne(view, call, knobs, request, item); });
  }

  void destroy(const Call& call, const Items& items, Results& out) override {
    const Knobs knobs = enter(call, {});
    change(call, knobs, "destroy", items, out, [&](Cloud::View& view, const Item& item) {
      const Machine* machine = view.find(item.cloud_id, item.name);
      if (machine != nullptr && !machine->isTerminated()) view.change(machine->id, State::kGone, host_.wallMs(), 0);
      return Answer{};
    });
  }

  void power(const Call& call, bool on, const Items& items, Results& out) override {
    const Knobs knobs = enter(call, {});
    change(call, knobs, "power", items, out, [&](Cloud::View& view, const Item& item) {
      const Machine* machine = view.find(item.cloud_id, item.name);
      if (machine == nullptr || machine->isTerminated()) {
        throw Error(
            Code::kNotFound, Outcome::kNotApplied,
            "mock machine " + std::string(item.name) + ": cannot change its power: it does not exist (any more)");
      }
      const State goal = on ? State::kRunning : State::kStopped;
      const std::int64_t now = host_.wallMs();
      if (machine->state != goal) view.change(machine->id, goal, now, on ? now + knobs.boot_ms : 0);
      return Answer{};
    });
  }

  void observe(const Call& call, const Items& items, Observations& out) override {
    const Knobs knobs = enter(call, "observe");
    std::vector<Observation> seen;
    cloud(knobs).transact(call, [&](Cloud::View& view) {
      for (const Item& item : items) {
        const Machine* machine = view.find(item.cloud_id, item.name);
        seen.push_back(machine == nullptr ? Observation{} : observationOf(*machine));
      }
    });
    for (std::size_t i = 0; i < items.size(); ++i) out.observed(items[i], seen[i]);
  }

  void list(const Call& call, Observations& out) override {
    const Knobs knobs = enter(call, {});
    const Fault* fault = drawFault(knobs, "list");
    const bool is_partial = fault != nullptr && fault->kind == Fault::Kind::kPartial;
    if (fault != nullptr && !is_partial) throw failure(*fault, "list");
    std::vector<Observation> seen;
    cloud(knobs).transact(call, [&](Cloud::View& view) {
      view.each([&](const Machine& machine) {
        if (machine.vcc == call.vccId() && !machine.isTerminated() && !machine.is_disk)
          seen.push_back(observationOf(machine));
        return true;
      });
    });
    if (is_partial) seen.resize(seen.size() / 2);
    for (const Observation& machine : seen) {
      if (!out.listed(machine)) return;
    }
    if (!is_partial) out.complete();
  }

  void validateDisks(std::string_view cloud_params, std::string_view catalog_entry) override {
    validate(cloud_params, catalog_entry);
  }

  void createDisks(const Call& call, std::string_view spec, const Items& disks, Results& out) override {
    const Knobs knobs = enter(call, {});
    const Json request = vcp::plugin::parseObject(spec, "spec");
    change(call, knobs, "create_disk", disks, out, [&](Cloud::View& view, const Item& item) {
      Machine disk = newRecord(call, knobs, request, item);
      if (const Machine* made = madeBefore(view, item, disk)) return answerFor(*made);
      disk.is_disk = true;
      disk.id = "mockvol-" + host_.randomHex(17);
      Answer answer = answerFor(disk);
      view.add(std::move(disk));
      return answer;
    });
  }

  void destroyDisks(const Call& call, const Items& disks, Results& out) override {
    const Knobs knobs = enter(call, {});
    change(call, knobs, "destroy_disk", disks, out, [&](Cloud::View& view, const Item& item) {
      const Machine* disk = view.findDisk(item.cloud_id, item.name);
      if (disk == nullptr) return Answer{};
      if (const Machine* holder = view.holderOf(*disk)) throw inUse(*disk, *holder);
      view.change(disk->id, State::kGone, host_.wallMs(), 0);
      return Answer{};
    });
  }

  void attachDisks(const Call& call, const Attachments& attachments, Results& out) override {
    const Knobs knobs = enter(call, {});
    change(call, knobs, "attach", disksOf(attachments), out, [&](Cloud::View& view, const Item& item) {
      const Item& asked = machineOf(attachments, item);
      const Machine* disk = view.findDisk(item.cloud_id, item.name);
      const Machine* machine = view.find(asked.cloud_id, asked.name);
      if (disk == nullptr || machine == nullptr || machine->isTerminated()) {
        throw Error(Code::kNotFound, Outcome::kNotApplied,
                    "mock disk " + std::string(item.cloud_id) + ": cannot attach it: " +
                        (disk == nullptr ? "it" : "machine " + std::string(asked.cloud_id)) + " does not exist");
      }
      const Machine* holder = view.holderOf(*disk);
      if (holder != nullptr && holder != machine) throw inUse(*disk, *holder);
      if (holder == nullptr) view.attach(disk->id, machine->id);
      return Answer{};
    });
  }

  void detachDisks(const Call& call, const Attachments& attachments, Results& out) override {
    const Knobs knobs = enter(call, {});
    change(call, knobs, "detach", disksOf(attachments), out, [&](Cloud::View& view, const Item& item) {
      const Item& asked = machineOf(attachments, item);
      const Machine* disk = view.findDisk(item.cloud_id, item.name);
      const Machine* machine = view.find(asked.cloud_id, asked.name);
      if (disk != nullptr && machine != nullptr && view.holderOf(*disk) == machine) view.attach(disk->id, "");
      return Answer{};
    });
  }

  void observeDisks(const Call& call, const Items& disks, DiskObservations& out) override {
    const Knobs knobs = enter(call, "observe_disk");
    std::vector<DiskObservation> seen;
    cloud(knobs).transact(call, [&](Cloud::View& view) {
      for (const Item& item : disks) {
        const Machine* disk = view.findDisk(item.cloud_id, item.name);
        seen.push_back(disk == nullptr ? DiskObservation{} : observationOf(*disk, view.holderOf(*disk)));
      }
    });
    for (std::size_t i = 0; i < disks.size(); ++i) out.observed(disks[i], seen[i]);
  }

 private:
  static Items disksOf(const Attachments& attachments) {
    Items disks;
    for (const auto& pair : attachments) disks.push_back(pair.disk);
    return disks;
  }

  static const Item& machineOf(const Attachments& attachments, const Item& disk) {
    const auto pair = std::find_if(attachments.begin(), attachments.end(),
                                   [&](const auto& candidate) { return candidate.disk.index == disk.index; });
    return pair->machine;
  }

  static Error inUse(const Machine& disk, const Machine& holder) {
    return Error(Code::kFailedPrecondition, Outcome::kNotApplied,
                 "mock disk " + disk.id + " is in use by machine " + holder.id)
        .providerCode("VolumeInUse");
  }

  /// What every request to the cloud goes through: latency, throttling, credentials, and `operation`'s own failures
  /// (mutations fail item by item instead).
  Knobs enter(const Call& call, std::string_view operation) {
    Knobs knobs = parseKnobs(call.catalogEntry());
    if (knobs.latency_ms > 0) host_.sleep(call, knobs.latency_ms, Outcome::kNotApplied);
    if (call.isCancelled()) throw Error(Code::kCancelled, Outcome::kNotApplied, "the call was cancelled");
    if (const std::int64_t wait_ms = cloud(knobs).throttle(knobs.rate_per_s); wait_ms > 0) {
      throw Error(Code::kUnavailable, Outcome::kNotApplied, "mock cloud: too many requests (mock_rate_per_s)")
          .providerCode("RequestLimitExceeded")
          .retryAfterMs(wait_ms);
    }
    if (!knobs.access_key.empty()) {
      const Json credentials = vcp::plugin::parseObject(call.credentials(), "credentials");
      if (vcp::plugin::textOf(credentials, "access_key", "/credentials") != knobs.access_key) {
        throw Error(Code::kUnauthenticated, Outcome::kNotApplied,
                    "mock cloud: access_key is missing or wrong; it must equal catalog key mock_access_key")
            .providerCode("InvalidAccessKey");
      }
    }
    if (const Fault* fault = drawFault(knobs, operation)) throw failure(*fault, operation);
    return knobs;
  }

  /// Runs `one` for each item inside one transaction, with the simulated failures around it, and reports after it.
  template <class One>
  void change(const Call& call, const Knobs& knobs, const char* operation, const Items& items, Results& out,
              One&& one) {
    std::vector<Answer> answers;
    cloud(knobs).transact(call, [&](Cloud::View& view) {
      for (const Item& item : items) answers.push_back(attempt(view, knobs, operation, answers.size(), item, one));
    });
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Answer& answer = answers[i];
      if (answer.kind == Answer::Kind::kError) {
        out.error(items[i], answer.error);
      } else if (answer.kind == Answer::Kind::kPending) {
        out.pending(items[i], 0, "mock_max_batch: served in a later request");
      } else {
        if (!answer.cloud_id.empty()) out.machine(items[i], answer.cloud_id, answer.address);
        out.done(items[i]);
      }
    }
  }

  template <class One>
  Answer attempt(Cloud::View& view, const Knobs& knobs, const char* operation, std::size_t position, const Item& item,
                 One&& one) {
    Answer answer;
    if (static_cast<std::int64_t>(position) >= knobs.max_batch) {  // for the next step
      answer.kind = Answer::Kind::kPending;
      return answer;
    }
    try {
      const Fault* fault = drawFault(knobs, operation);
      if (fault == nullptr || fault->kind == Fault::Kind::kLost) answer = one(view, item);
      if (fault != nullptr) throw failure(*fault, operation);
    } catch (const Error& error) {
      answer = Answer{Answer::Kind::kError, {}, {}, error};
    }
    return answer;
  }

  /// What a create makes, but for its id and what only machines or disks have.
  Machine newRecord(const Call& call, const Knobs& knobs, const Json& spec, const Item& item) {
    Machine record;
    record.token = std::string(call.opId()) + "#" + std::to_string(item.create_index);
    record.request_hash = requestHash(spec, item);
    record.name = item.name;
    record.display_name = item.display_name;
    record.vcc = call.vccId();
    record.reason = vcp::plugin::Reason::kRequested;
    record.created_ms = record.changed_ms = host_.wallMs();
    record.ready_ms = record.created_ms + knobs.boot_ms;
    record.extra = extraOf(spec).dump(-1, ' ', false, Json::error_handler_t::replace);
    return record;
  }

  /// What the same request made already; null: nothing.
  static const Machine* madeBefore(Cloud::View& view, const Item& item, const Machine& asked) {
    const Machine* made = view.byToken(asked.token);
    if (made != nullptr && made->request_hash != asked.request_hash) {
      throw conflict(item, Outcome::kApplied, "IdempotentParameterMismatch", "its token was used for another request");
    }
    return made;
  }

  static Answer answerFor(const Machine& made) {
    Answer answer;
    answer.cloud_id = made.id;
    if (!made.is_disk) answer.address = formatIpv4(made.address);
    return answer;
  }

  Answer createOne(Cloud::View& view, const Call& call, const Knobs& knobs, const Json& spec, const Item& item) {
    Machine machine = newRecord(call, knobs, spec, item);
    if (const Machine* made = madeBefore(view, item, machine)) return answerFor(*made);
    machine.address = chooseAddress(view, knobs.network, item);
    machine.id = "mock-" + host_.randomHex(17);
    if (const Fault* fault = drawFault(knobs, "boot")) {
      machine.boot_fails = true;
      machine.detail = "simulated boot failure (mock_fail boot: " + fault->name + ")";
    }
    Answer answer = answerFor(machine);
    view.add(std::move(machine));
    return answer;
  }

  static std::uint32_t chooseAddress(Cloud::View& view, const Network& network, const Item& item) {
    if (item.requested_address.empty()) {
      const std::uint32_t address = view.freeAddress(network);
      if (address != 0) return address;
      throw Error(Code::kResourceExhausted, Outcome::kNotApplied,
                  "mock machine " + std::string(item.name) + ": no free address in " + formatIpv4(network.base) + "/" +
                      std::to_string(network.prefix) + " (private_network_ipmask)")
          .providerCode("InsufficientFreeAddresses");
    }
    const auto address = parseIpv4(std::string(item.requested_address));
    if (!address || !network.contains(*address)) {
      throw vcp::plugin::invalid("/cloud_params/ip_address_list",
                                 std::string(item.requested_address) + " is not an address of private_network_ipmask");
    }
    if (view.isTaken(*address)) {
      throw conflict(item, Outcome::kNotApplied, "AddressInUse",
                     "address " + std::string(item.requested_address) + " is in use");
    }
    return *address;
  }

  static Error conflict(const Item& item, Outcome outcome, const char* provider_code, const std::string& cause) {
    return Error(Code::kAlreadyExists, outcome,
                 "mock machine " + std::string(item.name) + ": cannot be created: " + cause)
        .providerCode(provider_code);
  }

  /// cloud_params that are kept for show, and the labels. Never the secret.
  static Json extraOf(const Json& spec) {
    Json extra = Json::object();
    if (const auto labels = spec.find("labels"); labels != spec.end()) extra["labels"] = *labels;
    const auto params = spec.find("cloud_params");
    if (params == spec.end() || !params->is_object()) return extra;
    for (const char* key : {"tags", "volume_id", "size", "cloud_image"}) {
      if (const auto value = params->find(key); value != params->end() && !value->is_null()) extra[key] = *value;
    }
    return extra;
  }

  /// FNV-1a of what the user asked for; not the secret, which may be rotated between two sends.
  static std::string requestHash(const Json& spec, const Item& item) {
    Json params = spec.value("cloud_params", Json::object());
    if (params.is_object()) params.erase("access_key");
    const std::string text = std::string(item.name) + "\n" + std::string(item.requested_address) + "\n" +
                             params.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return std::to_string(hash);
  }

  Observation observationOf(const Machine& machine) const {
    Observation seen;
    seen.found = true;
    seen.state = machine.at(host_.wallMs());
    seen.reason = machine.reason;
    seen.name = machine.name;
    seen.cloud_id = machine.id;
    seen.address = formatIpv4(machine.address);
    if (seen.state == State::kFailed) seen.detail = machine.detail;
    return seen;
  }

  DiskObservation observationOf(const Machine& disk, const Machine* holder) const {
    DiskObservation seen;
    seen.found = true;
    const State state = disk.at(host_.wallMs());
    seen.state = state == State::kProvisioning ? DiskState::kCreating
                 : state == State::kFailed     ? DiskState::kFailed
                 : holder != nullptr           ? DiskState::kAttached
                                               : DiskState::kAvailable;
    seen.cloud_id = disk.id;
    if (holder != nullptr) seen.machine_id = holder->id;
    if (seen.state == DiskState::kFailed) seen.detail = disk.detail;
    seen.size_gib = sizeOf(disk);
    return seen;
  }

  static std::int64_t sizeOf(const Machine& disk) {
    constexpr std::int64_t kDefaultGib = 10;
    return vcp::plugin::integerOf(Json::parse(disk.extra), "size", "", 1, 65536).value_or(kDefaultGib);
  }

  const Fault* drawFault(const Knobs& knobs, std::string_view operation) const {
    const auto it = knobs.faults.find(operation);
    if (it == knobs.faults.end()) return nullptr;
    std::uint8_t bytes[4];
    host_.randomBytes(bytes, sizeof bytes);
    const std::uint32_t drawn = std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
                                std::uint32_t{bytes[2]} << 8U | std::uint32_t{bytes[3]};
    return drawn / 4294967296.0 < it->second.probability ? &it->second : nullptr;
  }

  static Error failure(const Fault& fault, std::string_view operation) {
    const bool refused = fault.kind == Fault::Kind::kRefused;
    return Error(fault.code, refused ? Outcome::kNotApplied : Outcome::kUnknown,
                 "mock cloud: simulated failure of " + std::string(operation) + ": " + fault.name + " (mock_fail)")
        .providerCode("Simulated");
  }

  Cloud& cloud(const Knobs& knobs) {
    std::string path = knobs.state_file.empty() ? "mock-cloud.jsonl" : knobs.state_file;
    if (path[0] != '/') path = data_dir_ + "/" + path;
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<Cloud>& cloud = clouds_[path];
    if (!cloud) cloud = std::make_unique<Cloud>(host_, path);
    return *cloud;
  }

  const Host host_;
  std::string data_dir_;
  std::mutex mutex_;                                      // guards clouds_
  std::map<std::string, std::unique_ptr<Cloud>> clouds_;  // by state file; as many as the administrator's entries name
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.id = VCP_LITERAL("jp.ac.nii.vcp.mock");
  info.provider = VCP_LITERAL("mock");
  info.display_name = VCP_LITERAL("Simulated cloud");
  info.vendor = VCP_LITERAL("VCP");
  info.license = VCP_LITERAL("Apache-2.0");
  info.version = VCP_LITERAL("1.0+20261129");
  info.capabilities = VCP_CAP_SIMULATED_HOSTS;
  info.idempotency = VCP_IDEMPOTENCY_TOKEN;
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.attach_needs = VCP_ATTACH_ANY;
  info.concurrency = 64;
  info.max_batch = 50;
  info.max_observe = 1000;
  info.token_ttl_ms = 24 * 3'600'000;
  info.settle_ms = 5000;  // the cloud is this process: what an abandoned call still does, it does within its latency
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace mock

VCP_PLUGIN(mock::Mock, mock::kInfo);

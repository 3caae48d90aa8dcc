// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_string.h"
#include "base/status.h"
#include "model/records.h"

/// One driver instance as core sees it (architecture 3.4 to 3.8, 11 to 14). The ABI adapter implements it; interposers
/// and tests too.
namespace vcc {

enum class Idempotency : std::uint8_t { kToken, kName, kLookup };
/// "token", "name" or "lookup".
constexpr std::string_view idempotencyName(Idempotency idempotency) {
  constexpr std::array<std::string_view, 3> kNames{"token", "name", "lookup"};
  return kNames[static_cast<std::size_t>(idempotency)];
}

enum class Existence : std::uint8_t { kObserved, kAsserted };

/// The state that a machine must be in while a disk is attached to it or detached.
enum class AttachNeeds : std::uint8_t { kNoDisks, kAny, kRunning, kOff };

/// What a driver declares of itself; constant for the life of the process.
struct DriverInfo {
  std::string id;        ///< reverse DNS: "jp.ac.nii.vcp.mock"
  std::string provider;  ///< name in specs: "mock"
  std::string display_name;
  std::string version;  ///< "1.0+20261123"
  std::string abi;      ///< "0.9"
  Idempotency idempotency = Idempotency::kLookup;
  Existence existence = Existence::kObserved;
  std::int64_t token_ttl_ms = 0;     ///< how long the cloud remembers an idempotency token
  std::int64_t lookup_lag_ms = 0;    ///< how long an accepted change may be missing from point reads
  std::int64_t settle_ms = 120'000;  ///< how long after its sender gave up a request may still take effect
  std::uint32_t max_batch = 1;       ///< items in one mutation
  std::uint32_t max_observe = 1;     ///< refs in one observe
  std::uint32_t concurrency = 1;     ///< calls at once
  bool can_power = false;
  bool can_list = false;
  bool needs_address = false;    ///< the cloud gives no addresses: core chooses one for each machine
  bool simulated_hosts = false;  ///< machines that no ssh reaches: host and container steps are skipped
  bool offers_disks = false;     ///< calls with CallContext::kind kStorage, validateDisks and attach are allowed
  AttachNeeds attach_needs = AttachNeeds::kNoDisks;
  std::vector<std::string> extensions;
  std::vector<std::string> secret_keys;  ///< cloud_params keys marked `x-vcp-secret` in schema.json
  std::vector<std::string> clear_keys;   ///< cloud_params keys of the schema that are no secrets
  std::vector<std::string> disk_keys;    ///< cloud_params keys marked `x-vcp-disks`: lists of disks to attach
};

/// What every call carries. The values stay valid for the whole call.
struct CallContext {
  std::string op_id;  ///< idempotency token; empty for reads
  std::int64_t attempt = 1;
  std::int64_t deadline_ms = 0;  ///< duration from the start of the call; 0 = none
  std::string catalog_entry;     ///< JSON of the VPN catalog entry, as it was when the machine was asked for
  SecretString credentials;      ///< JSON object key -> value of the grant; "{}" for none
  std::string vcc_id;
  const std::atomic<bool>* cancelled = nullptr;
  UnitKind kind = UnitKind::kCompute;  ///< what all items of the call are: machines, or disks of storage units
};

/// A machine or a disk as an item of a mutation, or as the object of an observation.
struct MachineRef {
  std::int64_t index = 0;    ///< handle of the item within the call
  std::string name;          ///< core-minted; empty: a disk of the provider's that is not ours, known by its cloud_id
  std::string display_name;  ///< for people: <group>-<unit>-<no>; may be empty
  std::string cloud_id;      ///< empty until known
  std::string requested_address;
  std::string driver_state;
  std::vector<Resource> resources;
  std::string create_op;                      ///< op id of the create that made it
  std::int64_t create_index = 0;              ///< its place in that create
  std::int64_t create_size = 1;               ///< items of that create
  std::shared_ptr<const MachineRef> machine;  ///< attach: the machine that this disk is to hang on, or not to
};

/// The names that nobody else may be busy with during a call for `ref`: those of its item and of its machine. They live
/// as long as `ref`.
inline std::vector<const std::string*> namesOf(const MachineRef& ref) {
  std::vector<const std::string*> names;
  if (!ref.name.empty()) names.push_back(&ref.name);
  if (ref.machine && !ref.machine->name.empty()) names.push_back(&ref.machine->name);
  return names;
}

/// The answer for one item. An item that the driver does not answer for is kError with an unknown outcome.
struct ItemResult {
  ItemState state = ItemState::kFailed;  ///< kDone, kPending or kFailed
  std::int64_t retry_after_ms = 0;       ///< kPending
  std::string reason;                    ///< kPending: what is waited for, for people; may be empty
  Status error;                          ///< kFailed
  std::string cloud_id;                  ///< when it became known
  std::string address;
  std::vector<Resource> resources;  ///< every resource touched; merged by (kind, name)
  bool has_driver_state = false;
  std::string driver_state;
};

/// What a point read or a list said of a machine or a disk. NOT_FOUND is an answer, not a failure. A disk that is ready
/// for use is kRunning, attached or not.
struct Observation {
  Status error;  ///< not ok: nothing was learnt about this machine
  bool found = false;
  std::string name;  ///< list only
  std::string cloud_id;
  std::string address;
  MachineState state = MachineState::kUnspecified;
  Reason reason = Reason::kUnknown;
  std::string detail;         ///< the cloud's own words for a failure
  Code failure = Code::kOk;   ///< kFailed: what a create would have ended with; kOk = the cloud does not say
  std::string provider_code;  ///< kFailed: the cloud's own code
  std::string create_op;      ///< list only: as read back; the other half of (create_op, create_index)
  std::int64_t create_index = 0;
  std::vector<Resource> resources;
  std::int64_t size_gib = 0;  ///< disks only; 0 = the cloud does not say
  std::string holder;         ///< disks only: cloud id of the machine that holds it, or is about to; empty = none
  bool attached = false;      ///< disks only: the machine sees it
};

/// Calls block and are made on the instance's executor, never on the deciding thread; different machines may run in
/// parallel up to `concurrency`. `spec` is the frozen machine request: {"provider":…, "cloud_params":{…},
/// "labels":{"vcc_id","vcid","vc_name","unit_name","owner"}, "access":{"user","public_keys","user_data"}}; that of a
/// disk has no access. What is said of machines here holds for disks in a call whose kind is kStorage.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual const DriverInfo& info() const = 0;

  /// Offline check of cloud_params and catalog entry; kInvalidArgument with a JSON pointer in the text. Does not block.
  virtual Status validate(const std::string& cloud_params, const std::string& catalog_entry) = 0;

  /// The same for a request for disks; only when `offers_disks`.
  virtual Status validateDisks(const std::string&, const std::string&) { return unimplemented("there are no disks"); }

  /// Do the credentials and the catalog entry work? Bounded network calls.
  virtual Status probe(const CallContext& call) = 0;

  /// One step towards existing machines (architecture 3.7). `results` has one entry per ref, by position.
  virtual std::vector<ItemResult> create(const CallContext& call, const std::string& spec,
                                         const std::vector<MachineRef>& items) = 0;
  /// One step towards gone machines. Absent is done.
  virtual std::vector<ItemResult> destroy(const CallContext& call, const std::vector<MachineRef>& items) = 0;
  /// One step towards power on or off; only when `can_power`.
  virtual std::vector<ItemResult> power(const CallContext& call, bool on, const std::vector<MachineRef>& items) = 0;

  /// One step towards disks that hang on `MachineRef::machine`, or no longer do; only when `offers_disks`. Idempotent
  /// by look: done already is done. The machine is in the state of `attach_needs`.
  virtual std::vector<ItemResult> attach(const CallContext&, bool, const std::vector<MachineRef>& disks) {
    const Status refusal(Code::kUnimplemented, "there are no disks", Outcome::kNotApplied);
    return std::vector<ItemResult>(disks.size(), {.error = refusal});
  }

  /// Point reads, by id else by name. One observation per ref, by position.
  virtual std::vector<Observation> observe(const CallContext& call, const std::vector<MachineRef>& refs) = 0;
  /// Everything of this controller in the scope; only when `can_list`. `complete` false proves nothing about absence.
  virtual Status list(const CallContext& call, const std::function<void(const Observation&)>& visit,
                      bool* complete) = 0;
};

class DriverMetrics;

/// How a driver instance fares; written by its watchdog, read by anybody.
struct DriverHealth {
  std::atomic<std::int64_t> stuck_calls{0};  ///< calls that did not return in time, and still have not
  bool isDegraded() const { return stuck_calls > 0; }
};

/// A driver instance with the reason why it is not usable, when it is not. Never changes once a registry shows it.
struct DriverSlot {
  std::string instance;                          ///< name in providers.d
  std::string file;                              ///< of providers.d that defines it: "mock.yml"
  std::vector<std::string> providers;            ///< CCI names it serves (its own, and aliases)
  std::string path;                              ///< of the plugin; empty: not found
  std::string sha256;                            ///< of the plugin, hex; empty: refused before it was read
  std::shared_ptr<Driver> driver;                ///< null: refused
  std::shared_ptr<const DriverHealth> health;    ///< with `driver`; may be null in tests
  std::shared_ptr<const DriverMetrics> metrics;  ///< likewise
  std::string refusal_id;                        ///< log id of the refusal
  Status refusal;
};

/// The drivers of this process. Grows while the process lives (`vcc plugin load`), never shrinks: a loaded driver
/// stays, and a pointer to a slot stays good as long as the registry, even when a refused instance was loaded after all
/// and look-ups give its new slot. Thread safe.
class DriverRegistry {
 public:
  virtual ~DriverRegistry() = default;
  /// All that there are now, in the order of their first appearance.
  virtual std::vector<const DriverSlot*> slots() const = 0;
  /// By CCI provider name; null when none serves it.
  virtual const DriverSlot* byProvider(std::string_view provider) const = 0;
  /// By instance name; null when there is none.
  virtual const DriverSlot* byInstance(std::string_view instance) const = 0;
};

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "model/states.h"

/// The durable records (architecture 3.3, 3.4). Plain values; times are wall-clock milliseconds (0 = never), ids are
/// 32 lower-case hex characters. Who writes a field is written beside it: "api" = request threads inside a
/// transaction, "engine" = the deciding thread only.
namespace vcc {

enum class UnitKind : std::uint8_t { kCompute, kStorage };

/// An error that a user sees: when it happened and the text (object, attempt, cause, remedy). Empty text = none.
struct Fault {
  std::int64_t at = 0;
  std::string text;
  bool operator==(const Fault&) const = default;
};

/// A UnitGroup of the SDK.
struct Vc {
  std::string vcid;
  std::int64_t vcno = 0;    // api: counter, never reused
  std::string name;         // api
  std::string description;  // api
  UnitKind kind = UnitKind::kCompute;
  std::string owner;       // api: user name
  std::string token_head;  // api: head of the token that created it
  std::int64_t created_at = 0;
  bool deleting = false;     // api: DELETE accepted; the row goes when the last unit is gone
  std::int64_t version = 0;  // store: raised by each transaction that touches the VC or anything in it
};

/// A unit: nodes alike.
struct Unit {
  std::string unit_id;
  std::string vcid;
  std::string name;  // unique in the VC
  UnitKind kind = UnitKind::kCompute;
  std::string provider;           // as written in the CCI ("aws_spot", "mdx2")
  std::string instance;           // driver instance that serves it
  std::string network;            // VPN catalog entry (`private_network`)
  std::string spec;               // sealed: JSON of the parsed CCI (model/cci.h), plain credentials masked
  std::string grant_id;           // api: for the machines to come; empty = the CCI names no credentials
  std::int64_t last_node_no = 0;  // api: counter, never reused
  bool deleting = false;          // api: DELETE accepted; the row goes when the last node is gone
  std::int64_t created_at = 0;
  Fault fault;  // engine: why the unit is in ERROR
};

/// A node of a compute unit, or a disk of a storage unit: what a user asked for by number. A disk knows the goals
/// RUNNING and GONE only, and has neither address nor container. Both have one space of ids (spec/rest-protocol 7.5).
struct Node {
  std::string node_id;
  std::string vcid;
  std::string unit_id;
  std::int64_t node_no = 0;       // unique in the unit
  std::string requested_address;  // api: fixed address, or empty

  Goal goal = Goal::kRunning;     // api
  std::int64_t goal_seq = 0;      // api: raised by each change of the goal
  std::int64_t goal_at = 0;       // api
  std::string goal_by;            // api: user name
  std::int64_t deadline = 0;      // api: when an unreached goal becomes ERROR; 0 = none
  bool watch_mode = true;         // api
  State state = State::kBooting;  // api writes the transient state with the goal, engine everything else

  std::int64_t reached_seq = 0;      // engine: the goal_seq that `state` settles
  Step step = Step::kNone;           // engine
  std::int64_t step_at = 0;          // engine: when the step began
  std::int64_t step_deadline = 0;    // engine
  std::int64_t attempts = 0;         // engine: failures of this step in a row
  std::int64_t next_at = 0;          // engine: not to be visited before
  std::int64_t create_attempts = 0;  // engine: creates that failed since the goal was set
  std::int64_t create_at = 0;        // engine: no new machine before
  std::int64_t spoilt = 0;           // engine: how many of those the cloud called spoilt
  std::string progress;              // engine: what the step waits for, for people; may be empty
  Fault fault;                       // engine
  std::string machine_id;            // engine: the current machine; empty = none

  std::string container_id;            // engine
  std::string container_spec_hash;     // engine
  std::int64_t container_started = 0;  // engine
  std::int64_t boot_at = 0;            // engine: when the machine was seen running

  /// "Processing" is computed, never stored (architecture 3.1).
  bool settled() const { return reached_seq == goal_seq; }
};

/// A thing in the cloud that belongs to a machine: ("nic", "vcp-...-nic", "eni-0123").
struct Resource {
  std::string kind;
  std::string name;
  std::string id;
  bool operator==(const Resource&) const = default;
};

/// What machines were asked for with, frozen (engine/frozen_request.h). Goes with the last of them.
struct Request {
  std::string request_id;
  std::string text;  // sealed: JSON
  std::int64_t created_at = 0;
};

/// What a cloud gave us for a node: a machine, or for a disk a volume. A node row goes only when each of its machines
/// is proven gone.
struct Machine {
  std::string machine_id;
  std::string node_id;
  std::string unit_id;
  std::string vcid;
  std::string instance;   // driver instance
  std::string name;       // minted by core before the first call: vcp-<vcc8>-<20 hex>
  std::string create_op;  // (op id, item index) binds the machine to its batch
  std::int64_t item_index = 0;
  std::int64_t create_size = 0;  // items of its create, frozen with item_index at the first send; 0 = never sent
  std::string open_op;           // op under way with this machine as an item; empty = none
  std::string request_id;        // what it was asked for with
  std::string scope;             // (driver instance, network, fingerprints of grant and catalog entry)
  std::string grant_id;          // sealed credentials; empty for providers without
  std::string network;
  std::string requested_address;

  std::string cloud_id;
  std::string address;  // without prefix length
  std::vector<Resource> resources;
  std::string driver_state;  // opaque, at most 4 KiB

  MachineState observed = MachineState::kUnspecified;
  Reason observed_reason = Reason::kUnknown;
  std::int64_t observed_at = 0;
  std::int64_t absent_since = 0;  // first point read that said NOT_FOUND; 0 = present or unknown
  std::int64_t doubt_at = 0;      // since when a request of the create is without an answer; 0 = none (model/doubt.h)
  std::int64_t doubt_parts = 0;   // ids known when that request was sent
  std::string host_key;           // pinned at first contact
  bool want_destroy = false;      // want{keep, destroy}
  std::int64_t created_at = 0;

  UnitKind kind = UnitKind::kCompute;  // of its unit; kStorage: a volume
  std::int64_t size_gib = 0;           // of a volume, as the cloud counts it; 0 = not known

  std::string ended_op;  // op that ended last with this machine as an item, for events
};

enum class AttachState : std::uint8_t {
  kWanted,    ///< no machine was asked to hold the disk yet
  kAsked,     ///< `machine_id` was: it may hold the disk
  kAttached,  ///< a look saw it there
};

/// A disk that a node is to have: at most one row per disk, so a disk in use is one with a row. It goes with its node,
/// which does not go while a machine of it may hold the disk.
struct Attachment {
  std::string disk;           // key: the disk's node_id, or (driver instance, volume) of one that is not ours
  std::string node_id;        // api: the node that is to have it
  std::string vcid;           // api: of that node
  std::string disk_vcid;      // api: of the disk; empty = it is not ours
  std::string volume_id;      // api: the provider's id of a disk that is not ours; empty = it is ours
  std::int64_t position = 0;  // api: in the unit's list of disks
  AttachState state = AttachState::kWanted;  // engine
  std::string machine_id;                    // engine: of the machine that was asked; empty = none
  std::string op_id;                         // engine: of that request; the row is its record
};

/// What a unit of that kind consists of.
constexpr std::string_view memberNoun(UnitKind kind) { return kind == UnitKind::kStorage ? "disk" : "node"; }

enum class OpVerb : std::uint8_t { kCreate, kDestroy, kPowerOn, kPowerOff };
enum class ItemState : std::uint8_t { kOpen, kPending, kDone, kFailed };

std::string_view opVerbName(OpVerb verb);

/// One machine in an op.
struct OpItem {
  std::string machine_id;
  ItemState state = ItemState::kOpen;
  std::int64_t next_at = 0;  // not to be sent again before
  std::int64_t pauses = 0;   // kPending: answers in a row that asked for no pause and showed nothing new
  bool operator==(const OpItem&) const = default;
};

/// A recorded change (intent), committed before the driver call and closed after it. Its id is the idempotency token.
struct Op {
  std::string op_id;
  OpVerb verb = OpVerb::kCreate;
  std::string vcid;
  std::string instance;
  std::string scope;
  std::vector<OpItem> items;       // ordered, frozen at the first send; the index is part of the binding
  std::int64_t attempt = 0;        // sends so far
  std::int64_t first_sent_at = 0;  // 0 = never sent
  std::int64_t sent_at = 0;        // last send
  std::int64_t next_at = 0;
  std::int64_t fence = 0;  // of the engine that wrote it
  std::int64_t created_at = 0;
};

/// A fixed address that is taken: unique by (driver instance, network, ip) across all users.
struct Address {
  std::string instance;
  std::string network;
  std::string ip;
  std::string node_id;
  std::string vcid;
};

enum class UserRole : std::uint8_t { kRegular, kSuper };
enum class ApiRole : std::uint8_t { kFullAccess, kReadOnly };

struct User {
  std::string name;
  UserRole role = UserRole::kRegular;
  std::int64_t created_at = 0;
};

struct Token {
  std::string hash;  // hex SHA-256 of the token; the token itself is stored nowhere
  std::string head;  // first 8 characters, for lists and messages
  std::string user;
  ApiRole role = ApiRole::kFullAccess;
  std::string note;
  std::string mail;
  std::int64_t created_at = 0;
  std::int64_t expires_at = 0;
};

/// A value of the secret store: cubbyhole/ belongs to one token, secret/ to everybody with a token.
struct Secret {
  std::string mount;  // "cubbyhole", "secret"
  std::string owner;  // hash of the token; empty for secret/
  std::string path;   // "aws/access_key"
  std::string value;  // sealed: a JSON object
  std::int64_t updated_at = 0;
};

/// The credentials of a unit (architecture 18), sealed when they were brought, and as good as long as anything that
/// they made may exist. Records point at them by id.
struct Grant {
  std::string grant_id;
  std::string owner;        // user who brought them
  std::string token_hash;   // of the token that resolved the references
  std::string references;   // JSON object: key -> "cubbyhole/aws/access_key", for the keys that came from the store
  std::string fingerprint;  // of the values: equal means the same account
  std::string values;       // sealed: JSON object key -> value; empty = purged
  std::int64_t created_at = 0;
  std::int64_t changed_at = 0;
};

/// One transition, written in its own transaction.
struct Event {
  std::int64_t seq = 0;
  std::int64_t at = 0;
  std::string vcid;
  std::string object;  // "node 3 of unit web", "unit web", "vc"
  std::string object_id;
  std::string from;
  std::string to;
  std::string reason;
  std::string op_id;
};

/// A place that the sweep lists: machines were asked for there, and something of them may exist (architecture 10, 18).
/// Its grant is kept with it. Key (scope, grant_id), as in `Machine`.
struct SweepPlace {
  std::string scope;
  std::string grant_id;  // empty for providers without credentials
  std::string instance;
  std::string network;
  std::string entry;          // sealed: JSON of the VPN catalog entry
  std::int64_t used_at = 0;   // when a machine of it last came or went
  std::int64_t tried_at = 0;  // when the latest list of it began
  std::int64_t swept_at = 0;  // when the latest complete one began
  Fault fault;                // why the latest list was not complete
};

/// An object of ours in a cloud that no machine record knows: found by the sweep, or left there by a purge.
struct Stray {
  std::string stray_id;
  std::string scope;  // with grant_id: the place that it was seen in
  std::string grant_id;
  std::string instance;  // driver instance
  std::string name;
  std::string cloud_id;
  std::string address;
  std::string create_op;  // as read back; may be empty
  std::int64_t create_index = 0;
  std::vector<Resource> resources;
  MachineState observed = MachineState::kUnspecified;
  std::int64_t first_seen_at = 0;
  std::int64_t last_seen_at = 0;  // when the latest list that showed it began
  std::int64_t sweeps = 0;        // complete lists in a row that showed it
  std::string left;               // purged with --keep-cloud: what it was and by whom; empty = found by the sweep

  std::string want_by;           // who wants it deleted: "sweep" or an administrator; empty = nobody
  std::int64_t want_at = 0;      // since when
  std::int64_t verified_at = 0;  // when a look found that its name leads to it
  std::int64_t looked_at = 0;    // when the latest point read began
  std::int64_t absent_since = 0;
  std::string op_id;  // of its destroy; empty = none was sent
  std::int64_t sent_at = 0;
  std::int64_t accepted_at = 0;  // when the cloud accepted that
  std::int64_t attempts = 0;     // failures in a row
  std::int64_t next_at = 0;      // not to be visited before
  std::string driver_state;
  Fault fault;
};

/// The right to drive a shard of the machines. Every engine commit checks its fence (architecture 28).
struct Lease {
  std::string shard;
  std::string holder;
  std::int64_t fence = 0;
  std::int64_t expires_at = 0;
};

/// One setting of the data folder: `vcc_id`, `evaluation`, counters.
struct Meta {
  std::string key;
  std::string text;
  std::int64_t number = 0;
};

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/barrier.h"
#include "vcp/plugin/cpp/host.h"

namespace vcp::plugin {

struct Resource {
  std::string kind;
  std::string name;
  std::string id;
};

/// One machine as the host knows it; the fields are those of vcp_item_t. Borrowed: valid for the call.
struct Item {
  std::int64_t index = 0;
  std::string_view name;
  std::string_view display_name;
  std::string_view cloud_id;
  std::string_view requested_address;
  std::string_view driver_state;
  std::vector<Resource> resources;
  std::string_view create_op;
  std::int64_t create_index = 0;
  std::int64_t create_size = 1;
};
using Items = std::vector<Item>;

enum class State : std::int32_t {
  kUnspecified = VCP_STATE_UNSPECIFIED,
  kProvisioning = VCP_STATE_PROVISIONING,
  kRunning = VCP_STATE_RUNNING,
  kStopping = VCP_STATE_STOPPING,
  kStopped = VCP_STATE_STOPPED,
  kTerminating = VCP_STATE_TERMINATING,
  kGone = VCP_STATE_GONE,
  kFailed = VCP_STATE_FAILED,
};

enum class Reason : std::int32_t {
  kUnknown = VCP_REASON_UNKNOWN,
  kRequested = VCP_REASON_REQUESTED,
  kInterrupted = VCP_REASON_INTERRUPTED,
  kHostFailure = VCP_REASON_HOST_FAILURE,
  kUnpaid = VCP_REASON_UNPAID,
};

/// The fields are those of vcp_observation_t.
struct Observation {
  bool found = false;
  State state = State::kUnspecified;
  Reason reason = Reason::kUnknown;
  std::string name;
  std::string cloud_id;
  std::string address;
  std::string detail;
  std::optional<Code> failure;
  std::string provider_code;
  std::string create_op;
  std::int64_t create_index = 0;
  std::vector<Resource> resources;
};

namespace detail {

inline std::vector<Resource> resourcesOf(const vcp_resource_t* const* raw, std::uint64_t count) {
  std::vector<Resource> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    out.push_back({std::string(view(raw[i]->kind)), std::string(view(raw[i]->name)), std::string(view(raw[i]->id))});
  }
  return out;
}

inline Item itemOf(const vcp_item_t& from) {
  return {from.index,
          view(from.name),
          view(from.display_name),
          view(from.cloud_id),
          view(from.requested_address),
          view(from.driver_state),
          resourcesOf(from.resources, from.resource_count),
          view(from.create_op),
          from.create_index,
          from.create_size};
}

inline Items itemsOf(const vcp_item_t* const* raw, std::uint64_t count) {
  Items items;
  items.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) items.push_back(itemOf(*raw[i]));
  return items;
}

/// Parts as an observation takes them. Borrows the texts.
class RawResources {
 public:
  explicit RawResources(const std::vector<Resource>& from) {
    parts_.reserve(from.size());
    for (const Resource& part : from) {
      parts_.push_back({sizeof(vcp_resource_t), 0, borrow(part.kind), borrow(part.name), borrow(part.id)});
    }
    pointers_.reserve(parts_.size());
    for (const vcp_resource_t& part : parts_) pointers_.push_back(&part);
  }
  RawResources(const RawResources&) = delete;
  RawResources& operator=(const RawResources&) = delete;

  const vcp_resource_t* const* data() const { return pointers_.data(); }
  std::uint64_t size() const { return pointers_.size(); }

 private:
  std::vector<vcp_resource_t> parts_;
  std::vector<const vcp_resource_t*> pointers_;
};

/// An item's error through any sink that takes one.
template <class Sink>
void reportError(const Sink* sink, const Item& item, Outcome unforeseen, const Error& error) {
  vcp_error_t raw = emptyError();
  fillError(&raw, unforeseen, error);
  sink->error(sink, item.index, &raw);
}

/// Runs `body`; what it throws becomes the item's error.
template <class Sink, class Body>
void guardItem(const Sink* sink, const Item& item, Outcome unforeseen, Body&& body) {
  vcp_error_t raw = emptyError();
  if (barrier(unforeseen, &raw, body) != VCP_OK) sink->error(sink, item.index, &raw);
}

}  // namespace detail

/// Where a mutation reports (vcp_item_sink_t): anything known at once, and exactly one of done, pending, error per
/// item.
class Results {
 public:
  explicit Results(const vcp_item_sink_t* sink) noexcept : sink_(sink) {}

  void machine(const Item& item, std::string_view cloud_id, std::string_view address) {
    sink_->machine(sink_, item.index, borrow(cloud_id), borrow(address));
  }
  void resource(const Item& item, std::string_view kind, std::string_view name, std::string_view id) {
    const vcp_resource_t raw{sizeof raw, 0, borrow(kind), borrow(name), borrow(id)};
    sink_->resource(sink_, item.index, &raw);
  }
  void driverState(const Item& item, std::string_view state) { sink_->driver_state(sink_, item.index, borrow(state)); }
  void done(const Item& item) { sink_->done(sink_, item.index); }
  /// `reason`: what is waited for, for people.
  void pending(const Item& item, std::int64_t retry_after_ms, std::string_view reason) {
    sink_->pending(sink_, item.index, retry_after_ms, borrow(reason));
  }
  void error(const Item& item, const Error& error) { detail::reportError(sink_, item, Outcome::kUnknown, error); }

  /// Runs `step` for one item; an exception becomes that item's error and leaves the others alone. `step` must give the
  /// item's answer (done, pending) or throw.
  template <class Step>
  void guard(const Item& item, Step&& step) {
    detail::guardItem(sink_, item, Outcome::kUnknown, step);
  }

 private:
  const vcp_item_sink_t* sink_;
};

/// Where observe and list report (vcp_observation_sink_t).
class Observations {
 public:
  explicit Observations(const vcp_observation_sink_t* sink) noexcept : sink_(sink) {}

  void observed(const Item& item, const Observation& what) { send(item.index, what); }
  void error(const Item& item, const Error& error) { detail::reportError(sink_, item, Outcome::kNotApplied, error); }
  /// Runs `look` for one item; an exception becomes that item's error and leaves the others alone. `look` must observe
  /// the item or throw.
  template <class Look>
  void guard(const Item& item, Look&& look) {
    detail::guardItem(sink_, item, Outcome::kNotApplied, look);
  }

  /// In a list. False: the host has seen enough.
  bool listed(const Observation& what) { return send(-1, what) == VCP_OK; }
  /// In a list: everything was read.
  void complete() { sink_->complete(sink_); }

 private:
  std::int32_t send(std::int64_t index, const Observation& what) {
    const detail::RawResources parts(what.resources);
    vcp_observation_t raw{};
    raw.struct_size = sizeof raw;
    raw.found = what.found ? 1 : 0;
    raw.index = index;
    raw.state = static_cast<std::int32_t>(what.state);
    raw.reason = static_cast<std::int32_t>(what.reason);
    raw.name = borrow(what.name);
    raw.cloud_id = borrow(what.cloud_id);
    raw.address = borrow(what.address);
    raw.detail = borrow(what.detail);
    if (what.failure) raw.failure = static_cast<std::int32_t>(*what.failure);
    raw.provider_code = borrow(what.provider_code);
    raw.create_op = borrow(what.create_op);
    raw.create_index = what.create_index;
    raw.resources = parts.data();
    raw.resource_count = parts.size();
    return sink_->observed(sink_, &raw);
  }

  const vcp_observation_sink_t* sink_;
};

/// A driver instance. The contract of each function is that of its namesake in vcp_driver_ops_t; failures are thrown as
/// Error. The constructor takes (Host, std::string_view config) and throws to refuse the configuration; the destructor
/// is `close`.
class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  virtual std::string_view schema() const = 0;
  virtual void validate(std::string_view cloud_params, std::string_view catalog_entry) = 0;
  virtual void probe(const Call& call) = 0;
  virtual void create(const Call& call, std::string_view spec, const Items& items, Results& out) = 0;
  virtual void observe(const Call& call, const Items& items, Observations& out) = 0;
  virtual void destroy(const Call& call, const Items& items, Results& out) = 0;
};

/// Derive from it besides Driver when the cloud can list: sets VCP_CAP_LIST.
class Listing {
 public:
  virtual ~Listing() = default;
  virtual void list(const Call& call, Observations& out) = 0;
};

/// Derive from it besides Driver when machines can be powered on and off: sets VCP_CAP_POWER.
class Power {
 public:
  virtual ~Power() = default;
  virtual void power(const Call& call, bool on, const Items& items, Results& out) = 0;
};

}  // namespace vcp::plugin

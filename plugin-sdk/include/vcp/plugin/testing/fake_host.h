// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/driver.h"

/// A host for tests of drivers: its time is a number, its randomness a sequence, and sleeping moves the clock.
namespace vcp::plugin::testing {

struct ItemAnswer {
  int done = 0;
  int pending = 0;
  int errors = 0;
  std::int64_t pending_ms = 0;
  std::string pending_reason;
  vcp_error_t error{};
  std::string cloud_id;
  std::string address;
  std::string driver_state;
  std::vector<Resource> resources;
};

/// What a mutation answered: its own status, and the items by index.
struct Answers {
  std::int32_t code = VCP_OK;
  vcp_error_t error = detail::emptyError();
  std::map<std::int64_t, ItemAnswer> items;
};

/// What observe or list answered.
struct Seen {
  std::int32_t code = VCP_OK;
  vcp_error_t error = detail::emptyError();
  std::map<std::int64_t, Observation> machines;  ///< by item index; lists count from 0
  std::map<std::int64_t, vcp_error_t> errors;
  std::map<std::int64_t, int> answers;  ///< of observe: how often each index was answered for
  bool complete = false;
};

struct CallOptions {
  std::string op_id = "op";
  std::string catalog_entry = "{}";
  std::string credentials = "{}";
  std::string vcc_id = "vcc";
  std::int64_t attempt = 1;
  std::int64_t deadline_ms = 60000;
};

/// Thread safe, except for making calls.
class FakeHost {
 public:
  std::atomic<std::int64_t> wall_ms{1'700'000'000'000};
  std::atomic<std::int64_t> mono_ms{1000};
  std::atomic<bool> cancelled{false};

  /// Hosts with different seeds give different random bytes.
  explicit FakeHost(std::uint64_t seed = 1) : seed_(seed << 32U) {
    table_.struct_size = sizeof table_;
    table_.abi_minor = VCP_ABI_MINOR;
    table_.host_data = this;
    table_.name = borrow("fake");
    table_.version = borrow("0");
    table_.log = [](const vcp_host_t* h, std::int32_t, vcp_string_t event, vcp_string_t, const vcp_log_field_t*,
                    std::uint64_t) {
      FakeHost& self = of(h);
      const std::lock_guard<std::mutex> lock(self.mutex_);
      ++self.events_[std::string(view(event))];
    };
    table_.log_enabled = [](const vcp_host_t*, std::int32_t) -> std::int32_t { return 1; };
    table_.wall_ms = [](const vcp_host_t* h) { return of(h).wall_ms.load(); };
    table_.monotonic_ms = [](const vcp_host_t* h) { return of(h).mono_ms.load(); };
    table_.sleep = [](const vcp_host_t* h, const vcp_call_t* call, std::int64_t ms) -> std::int32_t {
      FakeHost& self = of(h);
      if (self.cancelled) return VCP_CANCELLED;
      if (self.mono_ms + ms > call->deadline_mono_ms) return VCP_DEADLINE_EXCEEDED;
      self.wall_ms += ms;
      self.mono_ms += ms;
      return VCP_OK;
    };
    table_.random_bytes = [](const vcp_host_t* h, std::uint8_t* out, std::uint64_t size) -> std::int32_t {
      for (std::uint64_t i = 0; i < size; ++i) out[i] = of(h).nextByte();
      return VCP_OK;
    };
    table_.get_extension = [](const vcp_host_t* h, vcp_string_t id) -> const void* {
      FakeHost& self = of(h);
      const std::lock_guard<std::mutex> lock(self.mutex_);
      const auto found = self.extensions_.find(std::string(view(id)));
      return found == self.extensions_.end() ? nullptr : found->second;
    };
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const vcp_host_t* table() const { return &table_; }
  /// Lends an extension; `table` is borrowed.
  void provide(const std::string& id, const void* table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    extensions_[id] = table;
  }
  int logged(const std::string& event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return events_[event];
  }

  /// A call context; valid until the next one is made on this thread.
  const vcp_call_t* call(const CallOptions& options) {
    thread_local CallOptions kept;
    thread_local vcp_call_t call;
    kept = options;
    call = {};
    call.struct_size = sizeof call;
    call.host_data = this;
    call.op_id = borrow(kept.op_id);
    call.attempt = kept.attempt;
    call.deadline_mono_ms = mono_ms + kept.deadline_ms;
    call.vcc_id = borrow(kept.vcc_id);
    call.catalog_entry = borrow(kept.catalog_entry);
    call.credentials = borrow(kept.credentials);
    call.is_cancelled = [](const vcp_call_t* c) -> std::int32_t {
      return static_cast<FakeHost*>(c->host_data)->cancelled ? 1 : 0;
    };
    call.progress = [](const vcp_call_t*, std::int32_t, vcp_string_t) {};
    return &call;
  }

 protected:
  vcp_host_t table_{};  ///< a host for a special test replaces functions here

 private:
  static FakeHost& of(const vcp_host_t* host) { return *static_cast<FakeHost*>(host->host_data); }
  std::uint8_t nextByte() {  // splitmix64: well spread, repeatable
    std::uint64_t z = seed_.fetch_add(0x9e3779b97f4a7c15U) + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<std::uint8_t>(z >> 56U);
  }

  std::atomic<std::uint64_t> seed_;
  std::mutex mutex_;
  std::map<std::string, int> events_;
  std::map<std::string, const void*> extensions_;
};

/// Items as a driver takes them. Borrows the texts.
struct RawItems {
  std::vector<vcp_item_t> items;
  std::vector<std::vector<vcp_resource_t>> parts;
  std::vector<std::vector<const vcp_resource_t*>> part_pointers;
  std::vector<const vcp_item_t*> pointers;

  explicit RawItems(const Items& from) : parts(from.size()), part_pointers(from.size()) {
    items.reserve(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (const Resource& r : from[i].resources) {
        parts[i].push_back({sizeof(vcp_resource_t), 0, borrow(r.kind), borrow(r.name), borrow(r.id)});
      }
      for (const vcp_resource_t& r : parts[i]) part_pointers[i].push_back(&r);
      items.push_back({sizeof(vcp_item_t), 0, from[i].index, borrow(from[i].name), borrow(from[i].display_name),
                       borrow(from[i].cloud_id), borrow(from[i].requested_address), borrow(from[i].driver_state),
                       part_pointers[i].data(), part_pointers[i].size(), borrow(from[i].create_op),
                       from[i].create_index, from[i].create_size});
    }
    for (const vcp_item_t& item : items) pointers.push_back(&item);
  }
};

inline ItemAnswer& answerOf(const vcp_item_sink_t* sink, std::int64_t index) {
  return static_cast<Answers*>(sink->host_data)->items[index];
}

/// Makes a call with a sink that keeps what it is told: `operation(items, sink, error)`.
template <class Operation>
Answers mutate(const Items& items, Operation&& operation) {
  Answers answers;
  const RawItems raw(items);
  vcp_item_sink_t sink{};
  sink.struct_size = sizeof sink;
  sink.host_data = &answers;
  sink.machine = [](const vcp_item_sink_t* s, std::int64_t i, vcp_string_t id, vcp_string_t address) {
    if (id.size > 0) answerOf(s, i).cloud_id = view(id);
    if (address.size > 0) answerOf(s, i).address = view(address);
  };
  sink.resource = [](const vcp_item_sink_t* s, std::int64_t i, const vcp_resource_t* r) {
    answerOf(s, i).resources.push_back(
        {std::string(view(r->kind)), std::string(view(r->name)), std::string(view(r->id))});
  };
  sink.driver_state = [](const vcp_item_sink_t* s, std::int64_t i, vcp_string_t state) {
    answerOf(s, i).driver_state = view(state);
  };
  sink.done = [](const vcp_item_sink_t* s, std::int64_t i) { ++answerOf(s, i).done; };
  sink.pending = [](const vcp_item_sink_t* s, std::int64_t i, std::int64_t ms, vcp_string_t reason) {
    ++answerOf(s, i).pending;
    answerOf(s, i).pending_reason = view(reason);
    answerOf(s, i).pending_ms = ms;
  };
  sink.error = [](const vcp_item_sink_t* s, std::int64_t i, const vcp_error_t* error) {
    ++answerOf(s, i).errors;
    answerOf(s, i).error = *error;
  };
  answers.code = operation(raw.pointers.data(), &sink, &answers.error);
  return answers;
}

/// A driver opened through its entry, as a host does it, with answers as values.
class OpenDriver {
 public:
  OpenDriver(const vcp_plugin_entry_t& entry, FakeHost& host, std::string_view config) : entry_(entry) {
    driver_.struct_size = sizeof driver_;
    vcp_error_t error = detail::emptyError();
    if (entry.open_driver(host.table(), borrow(config), &driver_, &error) != VCP_OK) {
      throw std::runtime_error(error.message);
    }
  }
  ~OpenDriver() { driver_.ops->close(driver_.instance); }
  OpenDriver(const OpenDriver&) = delete;
  OpenDriver& operator=(const OpenDriver&) = delete;

  vcp_driver_instance_t* instance() const { return driver_.instance; }
  const vcp_driver_ops_t& ops() const { return *driver_.ops; }
  /// Null when the driver does not offer it.
  template <class Table>
  const Table* extension(std::string_view id) const {
    return entry_.get_extension == nullptr ? nullptr : static_cast<const Table*>(entry_.get_extension(borrow(id)));
  }

  /// The error text; empty when valid.
  std::string validate(std::string_view params, std::string_view entry) const {
    vcp_error_t error = detail::emptyError();
    const std::int32_t code = ops().validate(instance(), borrow(params), borrow(entry), &error);
    return code == VCP_OK ? "" : error.message;
  }
  Answers create(const vcp_call_t* call, std::string_view spec, const Items& items) const {
    return mutate(items, [&](auto raw, auto sink, auto error) {
      return ops().create(instance(), call, borrow(spec), raw, items.size(), sink, error);
    });
  }
  Answers destroy(const vcp_call_t* call, const Items& items) const {
    return mutate(items, [&](auto raw, auto sink, auto error) {
      return ops().destroy(instance(), call, raw, items.size(), sink, error);
    });
  }
  Answers power(const vcp_call_t* call, bool on, const Items& items) const {
    return mutate(items, [&](auto raw, auto sink, auto error) {
      return ops().power(instance(), call, on ? 1 : 0, raw, items.size(), sink, error);
    });
  }
  Seen observe(const vcp_call_t* call, const Items& items) const {
    Seen seen;
    const RawItems raw(items);
    const vcp_observation_sink_t sink = makeSink(&seen);
    seen.code = ops().observe(instance(), call, raw.pointers.data(), items.size(), &sink, &seen.error);
    return seen;
  }
  Seen list(const vcp_call_t* call) const {
    Seen seen;
    const vcp_observation_sink_t sink = makeSink(&seen);
    seen.code = ops().list(instance(), call, &sink, &seen.error);
    return seen;
  }

 private:
  static vcp_observation_sink_t makeSink(Seen* seen) {
    vcp_observation_sink_t sink{};
    sink.struct_size = sizeof sink;
    sink.host_data = seen;
    sink.observed = [](const vcp_observation_sink_t* s, const vcp_observation_t* o) -> std::int32_t {
      Seen& into = *static_cast<Seen*>(s->host_data);
      Observation copy;
      copy.found = o->found != 0;
      copy.state = static_cast<State>(o->state);
      copy.reason = static_cast<Reason>(o->reason);
      copy.name = view(o->name);
      copy.cloud_id = view(o->cloud_id);
      copy.address = view(o->address);
      copy.detail = view(o->detail);
      if (o->failure != VCP_OK) copy.failure = static_cast<Code>(o->failure);
      copy.provider_code = view(o->provider_code);
      copy.create_op = view(o->create_op);
      copy.create_index = o->create_index;
      copy.resources = detail::resourcesOf(o->resources, o->resource_count);
      ++into.answers[o->index];
      const auto index = o->index >= 0 ? o->index : static_cast<std::int64_t>(into.machines.size());
      into.machines[index] = copy;
      return VCP_OK;
    };
    sink.error = [](const vcp_observation_sink_t* s, std::int64_t i, const vcp_error_t* error) {
      Seen& into = *static_cast<Seen*>(s->host_data);
      ++into.answers[i];
      into.errors[i] = *error;
    };
    sink.complete = [](const vcp_observation_sink_t* s) { static_cast<Seen*>(s->host_data)->complete = true; };
    return sink;
  }

  const vcp_plugin_entry_t& entry_;
  vcp_driver_t driver_{};
};

}  // namespace vcp::plugin::testing

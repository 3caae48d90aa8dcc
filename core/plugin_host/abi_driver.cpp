// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/abi_driver.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "plugin_host/sinks.h"

namespace vcc {
namespace {

constexpr auto kGateSlice = std::chrono::milliseconds(50);

/// The items of a call in the shape of the ABI; borrows from the refs.
class RawItems {
 public:
  RawItems(const MachineRef* first, std::size_t count) : items_(count), parts_(count), part_pointers_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      const MachineRef& ref = first[i];
      for (const Resource& part : ref.resources) {
        parts_[i].push_back({sizeof(vcp_resource_t), 0, toAbi(part.kind), toAbi(part.name), toAbi(part.id)});
      }
      for (const vcp_resource_t& part : parts_[i]) part_pointers_[i].push_back(&part);
      items_[i] = {sizeof(vcp_item_t),
                   0,
                   ref.index,
                   toAbi(ref.name),
                   toAbi(ref.display_name),
                   toAbi(ref.cloud_id),
                   toAbi(ref.requested_address),
                   toAbi(ref.driver_state),
                   part_pointers_[i].data(),
                   part_pointers_[i].size(),
                   toAbi(ref.create_op),
                   ref.create_index,
                   ref.create_size};
      pointers_.push_back(&items_[i]);
    }
  }
  RawItems(const RawItems&) = delete;
  RawItems& operator=(const RawItems&) = delete;

  const vcp_item_t* const* data() const { return pointers_.data(); }
  std::uint64_t size() const { return pointers_.size(); }

 private:
  std::vector<vcp_item_t> items_;
  std::vector<std::vector<vcp_resource_t>> parts_;
  std::vector<std::vector<const vcp_resource_t*>> part_pointers_;
  std::vector<const vcp_item_t*> pointers_;
};

}  // namespace

bool CallGate::enter(const std::function<bool()>& stop) {
  MutexLock lock(mutex_);
  while (free_ == 0) {
    if (stop()) return false;
    freed_.waitFor(lock, kGateSlice);
  }
  --free_;
  return true;
}

void CallGate::leave() {
  const MutexLock lock(mutex_);
  ++free_;
  freed_.notifyOne();
}

AbiDriver::AbiDriver(std::shared_ptr<void> plugin, std::unique_ptr<HostServices> host, const vcp_driver_t& driver,
                     DriverInfo info, const vcp_disk_ops_t* disks)
    : plugin_(std::move(plugin)),
      host_(std::move(host)),
      instance_(driver.instance),
      ops_(*driver.ops),
      disks_(disks),
      info_(std::move(info)),
      gate_(info_.concurrency) {}

AbiDriver::~AbiDriver() {
  try {
    ops_.close(instance_);
  } catch (...) {
    host_->misbehaved("its close threw an exception");
  }
}

/// Calls into the plugin. What it throws is caught here where its C++ run-time is of this one's kind, its own copy
/// included; another kind's ends the process, which is why a barrier of its own is part of the contract.
template <class Function>
Status AbiDriver::guarded(bool mutation, Function&& function) const {
  vcp_error_t error = emptyError();
  try {
    const std::int32_t code = function(&error);
    return code == VCP_OK ? okStatus() : fromAbi(code, error, mutation);
  } catch (...) {
    host_->misbehaved("it let an exception cross the boundary");
    return Status(Code::kInternal, "the driver threw an exception; report this to its vendor", Outcome::kUnknown);
  }
}

template <class Function>
Status AbiDriver::blocking(const char* name, const CallContext& call, bool mutation, Function&& function) {
  const CallFrame frame(*host_, call);
  const auto stop = [&] { return frame.isCancelled() || frame.isOverdue(); };
  if (stop() || !gate_.enter(stop)) {
    return Status(frame.isCancelled() ? Code::kCancelled : Code::kDeadlineExceeded,
                  std::string(name) + " was not sent: no time was left before the driver was free",
                  Outcome::kNotApplied);
  }
  Status status = guarded(mutation, [&](vcp_error_t* error) { return function(frame.raw(), error); });
  gate_.leave();
  return status;
}

Status AbiDriver::validate(const std::string& cloud_params, const std::string& catalog_entry) {
  return guarded(false, [&](vcp_error_t* error) {
    return ops_.validate(instance_, toAbi(cloud_params), toAbi(catalog_entry), error);
  });
}

Status AbiDriver::validateDisks(const std::string& cloud_params, const std::string& catalog_entry) {
  if (disks_ == nullptr) return noDisks();
  return guarded(false, [&](vcp_error_t* error) {
    return disks_->validate(instance_, toAbi(cloud_params), toAbi(catalog_entry), error);
  });
}

Status AbiDriver::noDisks() const {
  return Status(Code::kUnimplemented, info_.provider + " offers no disks", Outcome::kNotApplied);
}

Status AbiDriver::probe(const CallContext& call) {
  return blocking("probe", call, false,
                  [&](const vcp_call_t* raw, vcp_error_t* error) { return ops_.probe(instance_, raw, error); });
}

template <class Function>
std::vector<ItemResult> AbiDriver::mutate(const char* name, const CallContext& call,
                                          const std::vector<MachineRef>& items, Function&& function) {
  ItemCollector collector(*host_, items);
  const bool disks = call.kind == UnitKind::kStorage;
  if (disks && disks_ == nullptr) return collector.finish(noDisks());
  if (items.size() > info_.max_batch) {
    return collector.finish(Status(Code::kOutOfRange,
                                   std::string(name) + " of " + std::to_string(items.size()) +
                                       (disks ? " disks" : " machines") + " was not sent: " + info_.id + " takes " +
                                       std::to_string(info_.max_batch) + " at once",
                                   Outcome::kNotApplied));
  }
  const RawItems raw(items.data(), items.size());
  const Status status = blocking(name, call, true, [&](const vcp_call_t* frame, vcp_error_t* error) {
    return function(frame, raw, collector.sink(), error);
  });
  return collector.finish(status);
}

std::vector<ItemResult> AbiDriver::create(const CallContext& call, const std::string& spec,
                                          const std::vector<MachineRef>& items) {
  return mutate("create", call, items, [&](auto frame, const RawItems& raw, auto sink, auto error) {
    const auto function = call.kind == UnitKind::kStorage ? disks_->create : ops_.create;
    return function(instance_, frame, toAbi(spec), raw.data(), raw.size(), sink, error);
  });
}

std::vector<ItemResult> AbiDriver::destroy(const CallContext& call, const std::vector<MachineRef>& items) {
  return mutate("destroy", call, items, [&](auto frame, const RawItems& raw, auto sink, auto error) {
    const auto function = call.kind == UnitKind::kStorage ? disks_->destroy : ops_.destroy;
    return function(instance_, frame, raw.data(), raw.size(), sink, error);
  });
}

std::vector<ItemResult> AbiDriver::power(const CallContext& call, bool on, const std::vector<MachineRef>& items) {
  if (!info_.can_power) {
    return ItemCollector(*host_, items)
        .finish(
            Status(Code::kUnimplemented, info_.provider + " cannot power machines on or off", Outcome::kNotApplied));
  }
  return mutate("power", call, items, [&](auto frame, const RawItems& raw, auto sink, auto error) {
    return ops_.power(instance_, frame, on ? 1 : 0, raw.data(), raw.size(), sink, error);
  });
}

std::vector<ItemResult> AbiDriver::attach(const CallContext& call, bool on, const std::vector<MachineRef>& disks) {
  return mutate(on ? "attach" : "detach", call, disks, [&](auto frame, const RawItems& raw, auto sink, auto error) {
    std::vector<MachineRef> refs;
    for (const MachineRef& disk : disks) refs.push_back(disk.machine ? *disk.machine : MachineRef{});
    const RawItems machines(refs.data(), refs.size());
    std::vector<vcp_attachment_t> pairs;
    for (std::size_t i = 0; i < refs.size(); ++i) {
      pairs.push_back({sizeof(vcp_attachment_t), 0, raw.data()[i], machines.data()[i]});
    }
    std::vector<const vcp_attachment_t*> pointers;
    for (const vcp_attachment_t& pair : pairs) pointers.push_back(&pair);
    return (on ? disks_->attach : disks_->detach)(instance_, frame, pointers.data(), pointers.size(), sink, error);
  });
}

/// Reads can be split freely, so more refs than the driver takes at once are asked for in turn.
std::vector<Observation> AbiDriver::observe(const CallContext& call, const std::vector<MachineRef>& refs) {
  std::vector<Observation> all;
  if (call.kind == UnitKind::kStorage && disks_ == nullptr) {
    all.assign(refs.size(), {.error = noDisks()});
    return all;
  }
  all.reserve(refs.size());
  for (std::size_t begin = 0; begin < refs.size(); begin += info_.max_observe) {
    const std::size_t count = std::min<std::size_t>(info_.max_observe, refs.size() - begin);
    const auto first = refs.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::vector<MachineRef> chunk(first, first + static_cast<std::ptrdiff_t>(count));
    ObservationCollector collector(*host_, chunk);
    const RawItems raw(chunk.data(), chunk.size());
    const Status status = blocking("observe", call, false, [&](const vcp_call_t* frame, vcp_error_t* error) {
      return call.kind == UnitKind::kStorage
                 ? disks_->observe(instance_, frame, raw.data(), raw.size(), collector.diskSink(), error)
                 : ops_.observe(instance_, frame, raw.data(), raw.size(), collector.sink(), error);
    });
    for (Observation& seen : collector.finish(status)) all.push_back(std::move(seen));
  }
  return all;
}

Status AbiDriver::list(const CallContext& call, const std::function<void(const Observation&)>& visit, bool* complete) {
  *complete = false;
  if (!info_.can_list) return unimplemented(info_.provider + " cannot list machines");
  ObservationCollector collector(*host_, visit);
  Status status = blocking("list", call, false, [&](const vcp_call_t* frame, vcp_error_t* error) {
    return ops_.list(instance_, frame, collector.sink(), error);
  });
  *complete = status.ok() && collector.isComplete();
  return status;
}

}  // namespace vcc

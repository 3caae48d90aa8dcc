// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vcp/plugin/cpp/driver.h"
#include "vcp/plugin/ext/disk.h"

/// The extension "vcp.disk/1" for drivers in C++.
namespace vcp::plugin {

enum class DiskState : std::int32_t {
  kUnspecified = VCP_DISK_STATE_UNSPECIFIED,
  kCreating = VCP_DISK_STATE_CREATING,
  kAvailable = VCP_DISK_STATE_AVAILABLE,
  kAttaching = VCP_DISK_STATE_ATTACHING,
  kAttached = VCP_DISK_STATE_ATTACHED,
  kDetaching = VCP_DISK_STATE_DETACHING,
  kDeleting = VCP_DISK_STATE_DELETING,
  kFailed = VCP_DISK_STATE_FAILED,
};

/// The fields are those of vcp_disk_observation_t.
struct DiskObservation {
  bool found = false;
  DiskState state = DiskState::kUnspecified;
  std::optional<Code> failure;
  std::int64_t size_gib = 0;
  std::string cloud_id;
  std::string machine_id;
  std::string detail;
  std::string provider_code;
  std::vector<Resource> resources;
};

/// A disk and a machine. Results about it go to `disk`. Borrowed: valid for the call.
struct Attachment {
  Item disk;
  Item machine;
};
using Attachments = std::vector<Attachment>;

/// Where observeDisks reports (vcp_disk_observation_sink_t).
class DiskObservations {
 public:
  explicit DiskObservations(const vcp_disk_observation_sink_t* sink) noexcept : sink_(sink) {}

  void observed(const Item& disk, const DiskObservation& what) {
    const detail::RawResources parts(what.resources);
    vcp_disk_observation_t raw{};
    raw.struct_size = sizeof raw;
    raw.found = what.found ? 1 : 0;
    raw.index = disk.index;
    raw.state = static_cast<std::int32_t>(what.state);
    if (what.failure) raw.failure = static_cast<std::int32_t>(*what.failure);
    raw.size_gib = what.size_gib;
    raw.cloud_id = borrow(what.cloud_id);
    raw.machine_id = borrow(what.machine_id);
    raw.detail = borrow(what.detail);
    raw.provider_code = borrow(what.provider_code);
    raw.resources = parts.data();
    raw.resource_count = parts.size();
    sink_->observed(sink_, &raw);
  }
  void error(const Item& disk, const Error& error) { detail::reportError(sink_, disk, Outcome::kNotApplied, error); }
  /// Runs `look` for one disk; an exception becomes that disk's error. `look` must observe the disk or throw.
  template <class Look>
  void guard(const Item& disk, Look&& look) {
    detail::guardItem(sink_, disk, Outcome::kNotApplied, look);
  }

 private:
  const vcp_disk_observation_sink_t* sink_;
};

/// Derive from it besides Driver when the cloud has data disks: offers VCP_DISK_ID. Declare attach_needs as well. The
/// contract of each function is that of its namesake in vcp_disk_ops_t.
class Disks {
 public:
  virtual ~Disks() = default;
  virtual void validateDisks(std::string_view cloud_params, std::string_view catalog_entry) = 0;
  virtual void createDisks(const Call& call, std::string_view spec, const Items& disks, Results& out) = 0;
  virtual void destroyDisks(const Call& call, const Items& disks, Results& out) = 0;
  virtual void attachDisks(const Call& call, const Attachments& attachments, Results& out) = 0;
  virtual void detachDisks(const Call& call, const Attachments& attachments, Results& out) = 0;
  virtual void observeDisks(const Call& call, const Items& disks, DiskObservations& out) = 0;
};

namespace detail {

/// The C table of a driver class with disks. Every function goes through the barrier.
template <class D>
struct DiskTable {
  static Disks& self(vcp_driver_instance_t* driver) { return *reinterpret_cast<D*>(driver); }

  static Attachments attachments(const vcp_attachment_t* const* raw, std::uint64_t count) {
    Attachments out;
    out.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) out.push_back({itemOf(*raw[i]->disk), itemOf(*raw[i]->machine)});
    return out;
  }

  static std::int32_t validate(vcp_driver_instance_t* driver, vcp_string_t cloud_params, vcp_string_t catalog_entry,
                               vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error,
                   [&] { self(driver).validateDisks(view(cloud_params), view(catalog_entry)); });
  }

  static std::int32_t create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                             const vcp_item_t* const* raw, std::uint64_t count, const vcp_item_sink_t* sink,
                             vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      self(driver).createDisks(Call(call), view(spec), itemsOf(raw, count), out);
    });
  }

  static std::int32_t destroy(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* raw,
                              std::uint64_t count, const vcp_item_sink_t* sink, vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      self(driver).destroyDisks(Call(call), itemsOf(raw, count), out);
    });
  }

  static std::int32_t attach(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_attachment_t* const* raw,
                             std::uint64_t count, const vcp_item_sink_t* sink, vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      self(driver).attachDisks(Call(call), attachments(raw, count), out);
    });
  }

  static std::int32_t detach(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_attachment_t* const* raw,
                             std::uint64_t count, const vcp_item_sink_t* sink, vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      self(driver).detachDisks(Call(call), attachments(raw, count), out);
    });
  }

  static std::int32_t observe(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* raw,
                              std::uint64_t count, const vcp_disk_observation_sink_t* sink,
                              vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] {
      DiskObservations out(sink);
      self(driver).observeDisks(Call(call), itemsOf(raw, count), out);
    });
  }

  static constexpr vcp_disk_ops_t kOps{
      sizeof(vcp_disk_ops_t), 0, &validate, &create, &destroy, &attach, &detach, &observe};
};

}  // namespace detail
}  // namespace vcp::plugin

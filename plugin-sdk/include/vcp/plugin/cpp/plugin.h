// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "vcp/plugin/cpp/disk.h"
#include "vcp/plugin/cpp/draft/spot.h"
#include "vcp/plugin/cpp/driver.h"

namespace vcp::plugin::detail {

/// The C tables of one driver class. Every function goes through the barrier.
template <class D>
struct Entry {
  static_assert(std::is_base_of_v<Driver, D>, "derive your class from vcp::plugin::Driver");
  static_assert(std::is_constructible_v<D, Host, std::string_view>,
                "your class needs a constructor (vcp::plugin::Host host, std::string_view config_json)");

  static constexpr bool kLists = std::is_base_of_v<Listing, D>;
  static constexpr bool kPowers = std::is_base_of_v<Power, D>;
  static constexpr bool kDisks = std::is_base_of_v<Disks, D>;
  static constexpr bool kSpot = std::is_base_of_v<Spot, D>;

  static D& self(vcp_driver_instance_t* driver) { return *reinterpret_cast<D*>(driver); }

  static void close(vcp_driver_instance_t* driver) noexcept {
    barrier(Outcome::kUnknown, nullptr, [&] { delete reinterpret_cast<D*>(driver); });
  }

  static std::int32_t describe(vcp_driver_instance_t* driver, const vcp_text_sink_t* out, vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] {
      const std::int32_t code = out->write(out, borrow(self(driver).schema()));
      if (code != VCP_OK) throw Error(static_cast<Code>(code), Outcome::kNotApplied, "the schema is too large");
    });
  }

  static std::int32_t validate(vcp_driver_instance_t* driver, vcp_string_t cloud_params, vcp_string_t catalog_entry,
                               vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error,
                   [&] { self(driver).validate(view(cloud_params), view(catalog_entry)); });
  }

  static std::int32_t probe(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] { self(driver).probe(Call(call)); });
  }

  static std::int32_t create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                             const vcp_item_t* const* raw, std::uint64_t count, const vcp_item_sink_t* sink,
                             vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      self(driver).create(Call(call), view(spec), itemsOf(raw, count), out);
    });
  }

  static std::int32_t observe(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* raw,
                              std::uint64_t count, const vcp_observation_sink_t* sink, vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] {
      Observations out(sink);
      self(driver).observe(Call(call), itemsOf(raw, count), out);
    });
  }

  static std::int32_t list(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_observation_sink_t* sink,
                           vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] {
      Observations out(sink);
      static_cast<Listing&>(self(driver)).list(Call(call), out);
    });
  }

  static std::int32_t destroy(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* raw,
                              std::uint64_t count, const vcp_item_sink_t* sink, vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      self(driver).destroy(Call(call), itemsOf(raw, count), out);
    });
  }

  static std::int32_t power(vcp_driver_instance_t* driver, const vcp_call_t* call, std::int32_t on,
                            const vcp_item_t* const* raw, std::uint64_t count, const vcp_item_sink_t* sink,
                            vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      static_cast<Power&>(self(driver)).power(Call(call), on != 0, itemsOf(raw, count), out);
    });
  }

  static constexpr vcp_driver_ops_t makeOps() {
    vcp_driver_ops_t ops{};
    ops.struct_size = sizeof ops;
    ops.close = &close;
    ops.describe = &describe;
    ops.validate = &validate;
    ops.probe = &probe;
    ops.create = &create;
    ops.observe = &observe;
    ops.destroy = &destroy;
    if constexpr (kLists) ops.list = &list;
    if constexpr (kPowers) ops.power = &power;
    return ops;
  }
  static constexpr vcp_driver_ops_t kOps = makeOps();

  static const void* extension(vcp_string_t id) noexcept {
    if constexpr (kDisks) {
      if (view(id) == VCP_DISK_ID) return &DiskTable<D>::kOps;
    }
    if constexpr (kSpot) {
      if (view(id) == VCP_SPOT_ID) return &SpotTable<D>::kOps;
    }
    static_cast<void>(id);
    return nullptr;
  }

  static std::int32_t open(const vcp_host_t* host, vcp_string_t config, vcp_driver_t* out,
                           vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] {
      out->instance = reinterpret_cast<vcp_driver_instance_t*>(std::make_unique<D>(Host(host), view(config)).release());
      out->ops = &kOps;
    });
  }

  /// Adds what the class itself tells: sizes and the capabilities of its interfaces.
  static constexpr vcp_plugin_info_t complete(vcp_plugin_info_t info) {
    info.struct_size = sizeof info;
    info.sdk_version = VCP_LITERAL(VCP_ABI_VERSION);
    if (kLists) info.capabilities |= VCP_CAP_LIST;
    if (kPowers) info.capabilities |= VCP_CAP_POWER;
    return info;
  }

  static constexpr vcp_plugin_entry_t makeEntry(const vcp_plugin_info_t* info) {
    vcp_plugin_entry_t entry{};
    entry.magic = VCP_PLUGIN_MAGIC;
    entry.struct_size = sizeof entry;
    entry.abi_major = VCP_ABI_MAJOR;
    entry.abi_minor = VCP_ABI_MINOR;
    entry.info = info;
    if constexpr (kDisks || kSpot) entry.get_extension = &extension;
    entry.open_driver = &open;
    return entry;
  }
};

}  // namespace vcp::plugin::detail

/// Once per plugin, outside of any namespace: `VCP_PLUGIN(MyDriver, my_info)`, where `my_info` is a constexpr
/// vcp_plugin_info_t with at least id, provider, display_name, version, idempotency and existence.
#define VCP_PLUGIN(DriverClass, info)                                                                            \
  namespace {                                                                                                    \
  constexpr vcp_plugin_info_t vcp_plugin_info_value = ::vcp::plugin::detail::Entry<DriverClass>::complete(info); \
  }                                                                                                              \
  extern "C" VCP_PLUGIN_EXPORT constexpr vcp_plugin_entry_t vcp_plugin_v0 =                                      \
      ::vcp::plugin::detail::Entry<DriverClass>::makeEntry(&vcp_plugin_info_value)

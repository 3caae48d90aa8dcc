// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

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

  static D& self(vcp_driver_instance_t* driver) { return *reinterpret_cast<D*>(driver); }

  static Items items(const vcp_item_t* const* raw, std::uint64_t count) {
    Items items;
    items.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      const vcp_item_t& from = *raw[i];
      Item item{from.index,
                view(from.name),
                view(from.display_name),
                view(from.cloud_id),
                view(from.requested_address),
                view(from.driver_state),
                {},
                view(from.create_op),
                from.create_index,
                from.create_size};
      for (std::uint64_t r = 0; r < from.resource_count; ++r) {
        const vcp_resource_t& part = *from.resources[r];
        item.resources.push_back(
            {std::string(view(part.kind)), std::string(view(part.name)), std::string(view(part.id))});
      }
      items.push_back(std::move(item));
    }
    return items;
  }

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
      self(driver).create(Call(call), view(spec), items(raw, count), out);
    });
  }

  static std::int32_t observe(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* raw,
                              std::uint64_t count, const vcp_observation_sink_t* sink, vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] {
      Observations out(sink);
      self(driver).observe(Call(call), items(raw, count), out);
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
      self(driver).destroy(Call(call), items(raw, count), out);
    });
  }

  static std::int32_t power(vcp_driver_instance_t* driver, const vcp_call_t* call, std::int32_t on,
                            const vcp_item_t* const* raw, std::uint64_t count, const vcp_item_sink_t* sink,
                            vcp_error_t* error) noexcept {
    return barrier(Outcome::kUnknown, error, [&] {
      Results out(sink);
      static_cast<Power&>(self(driver)).power(Call(call), on != 0, items(raw, count), out);
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

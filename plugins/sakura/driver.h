// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "client.h"
#include "vcp/plugin/cpp/driver.h"

namespace sakura {

/// Machines of Sakura Cloud: a server, a disk that is copied from an archive for minutes, power on. The cloud has no
/// idempotency key, and neither gives nor polices addresses on a switch.
class SakuraDriver final : public vcp::plugin::Driver, public vcp::plugin::Listing, public vcp::plugin::Power {
 public:
  SakuraDriver(const vcp::plugin::Host& host, std::string_view config);

  std::string_view schema() const override;
  void validate(std::string_view cloud_params, std::string_view catalog_entry) override;
  void probe(const vcp::plugin::Call& call) override;
  void create(const vcp::plugin::Call& call, std::string_view spec, const vcp::plugin::Items& items,
              vcp::plugin::Results& out) override;
  void observe(const vcp::plugin::Call& call, const vcp::plugin::Items& items, vcp::plugin::Observations& out) override;
  void destroy(const vcp::plugin::Call& call, const vcp::plugin::Items& items, vcp::plugin::Results& out) override;
  void power(const vcp::plugin::Call& call, bool on, const vcp::plugin::Items& items,
             vcp::plugin::Results& out) override;
  void list(const vcp::plugin::Call& call, vcp::plugin::Observations& out) override;

 private:
  Entry entryOf(const vcp::plugin::Call& call) const { return parseEntry(call.catalogEntry(), evaluation_); }

  const Services services_;
  const bool evaluation_;
};

}  // namespace sakura

// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "spec.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/plugin.h"
#include "vcp_schema.h"

namespace onpremises {

using vcp::plugin::Call;
using vcp::plugin::Host;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Observation;
using vcp::plugin::Observations;
using vcp::plugin::Results;

/// Existing servers. There is no cloud: a machine exists because the user says so, its id is its address, and giving it
/// back leaves it as it is. Whether it answers is found out by the host, over ssh.
class OnPremises final : public vcp::plugin::Driver {
 public:
  OnPremises(Host, std::string_view config)
      : evaluation_(vcp::plugin::parseObject(config, "config").value("evaluation", false)) {}

  std::string_view schema() const override { return vcp_schema::kText; }

  void validate(std::string_view cloud_params, std::string_view) override { checkParams(cloud_params, evaluation_); }

  void probe(const Call&) override {}

  void create(const Call&, std::string_view, const Items& items, Results& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] {
        constexpr char kPointer[] = "/cloud_params/ip_address_list";
        if (item.requested_address.empty()) {
          throw vcp::plugin::invalid(kPointer, "has no address for this node; name one existing server per node");
        }
        checkAddress(item.requested_address, kPointer, evaluation_);
        out.machine(item, item.requested_address, item.requested_address);
        out.done(item);
      });
    }
  }

  void observe(const Call&, const Items& items, Observations& out) override {
    for (const Item& item : items) {
      Observation seen;
      seen.found = true;
      seen.state = vcp::plugin::State::kRunning;
      seen.name = item.name;
      seen.address = item.requested_address.empty() ? item.cloud_id : item.requested_address;
      seen.cloud_id = seen.address;
      out.observed(item, seen);
    }
  }

  void destroy(const Call&, const Items& items, Results& out) override {
    for (const Item& item : items) out.done(item);
  }

 private:
  const bool evaluation_;
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.id = VCP_LITERAL("jp.ac.nii.vcp.onpremises");
  info.provider = VCP_LITERAL("onpremises");
  info.display_name = VCP_LITERAL("Existing servers");
  info.vendor = VCP_LITERAL("VCP");
  info.license = VCP_LITERAL("Apache-2.0");
  info.version = VCP_LITERAL("1.0+20261123");
  info.idempotency = VCP_IDEMPOTENCY_NAME;
  info.existence = VCP_EXISTENCE_ASSERTED;
  info.concurrency = 8;
  info.max_batch = 100;
  info.max_observe = 1000;
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace onpremises

VCP_PLUGIN(onpremises::OnPremises, onpremises::kInfo);

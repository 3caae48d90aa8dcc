// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin_host/http_transport.h"
#include "sim/scenario.h"
#include "vcp/plugin/testing/fake_cloud.h"

namespace vcc::sim {

using CloudObject = vcp::plugin::testing::CloudObject;

/// One simulated cloud of a run: a shared object that a driver's conformance tests bring. Its time is the run's.
class Cloud {
 public:
  /// Throws std::runtime_error when the file cannot be used.
  Cloud(const CloudSpec& spec, const std::string& folder);
  ~Cloud();
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;

  const CloudSpec& spec() const { return spec_; }
  HttpResponse handle(const HttpRequest& request, std::int64_t now_ms);
  bool isChange(const HttpRequest& request) const;
  std::vector<CloudObject> objects() const;
  /// What somebody else owns there, from the start.
  const std::vector<CloudObject>& foreign() const { return foreign_; }
  /// How long after its sender gave up a request may take effect: what the driver promises of this cloud.
  std::int64_t settle_ms = 0;

 private:
  const CloudSpec spec_;
  const vcp_fake_cloud_entry_t* entry_ = nullptr;
  vcp_fake_cloud_t* cloud_ = nullptr;
  std::int64_t now_ms_ = 0;
  std::vector<CloudObject> foreign_;
};

}  // namespace vcc::sim

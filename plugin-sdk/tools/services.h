// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "vcp/plugin/testing/fake_host.h"

namespace vcp::check {

/// What the suite lends to drivers besides HTTP: the fakes of testing/fake_*.h. The algorithms of vcp.host.crypto/1 are
/// OpenSSL's, so a build without it lends none. Thread safe; outlives the driver.
class Services {
 public:
  explicit Services(plugin::testing::FakeHost& host);
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

 private:
  struct Fakes;
  const std::unique_ptr<Fakes> fakes_;
};

}  // namespace vcp::check

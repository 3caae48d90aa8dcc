// SPDX-License-Identifier: Apache-2.0
#include "services.h"

#include "vcp/plugin/testing/fake_json.h"
#include "vcp/plugin/testing/fake_session.h"
#ifdef VCP_CHECK_CRYPTO
#include "vcp/plugin/testing/fake_crypto.h"
#endif

namespace vcp::check {

struct Services::Fakes {
  explicit Fakes(plugin::testing::FakeHost& host)
      : session(host),
        json(host)
#ifdef VCP_CHECK_CRYPTO
        ,
        crypto(host)
#endif
  {
  }

  plugin::testing::FakeSession session;
  plugin::testing::FakeJson json;
#ifdef VCP_CHECK_CRYPTO
  plugin::testing::FakeCrypto crypto;
#endif
};

Services::Services(plugin::testing::FakeHost& host) : fakes_(std::make_unique<Fakes>(host)) {}
Services::~Services() = default;

}  // namespace vcp::check

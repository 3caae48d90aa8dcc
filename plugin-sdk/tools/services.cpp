// SPDX-License-Identifier: Apache-2.0
#include "services.h"

#include <mutex>

#if __has_include("vcp/plugin/testing/fake_json.h")
#include "vcp/plugin/testing/fake_json.h"
#define VCP_CHECK_JSON
#endif
#if __has_include("vcp/plugin/testing/fake_session.h")
#include "vcp/plugin/testing/fake_session.h"
#define VCP_CHECK_SESSION
#endif
#ifdef VCP_CHECK_CRYPTO
#include "vcp/plugin/testing/fake_crypto.h"
#endif

namespace vcp::check {
namespace {

#ifdef VCP_CHECK_SESSION
/// FakeSession is for one thread; calls of the suite run on several.
class LockedSession {
 public:
  explicit LockedSession(plugin::testing::FakeHost& host) : session_(host) {
    const vcp_host_t* table = host.table();
    real_ = static_cast<const vcp_session_t*>(table->get_extension(table, plugin::borrow(VCP_SESSION_ID)));
    table_.struct_size = sizeof table_;
    table_.host_data = this;
    table_.get = [](const vcp_session_t* s, const vcp_call_t* call, vcp_string_t key, const vcp_text_sink_t* out) {
      const std::lock_guard<std::mutex> lock(of(s).mutex_);
      return of(s).real_->get(of(s).real_, call, key, out);
    };
    table_.put = [](const vcp_session_t* s, const vcp_call_t* call, vcp_string_t key, vcp_string_t value,
                    std::int64_t ttl_ms) {
      const std::lock_guard<std::mutex> lock(of(s).mutex_);
      return of(s).real_->put(of(s).real_, call, key, value, ttl_ms);
    };
    table_.drop = [](const vcp_session_t* s, const vcp_call_t* call, vcp_string_t key, vcp_string_t value) {
      const std::lock_guard<std::mutex> lock(of(s).mutex_);
      return of(s).real_->drop(of(s).real_, call, key, value);
    };
    host.provide(VCP_SESSION_ID, &table_);
  }
  LockedSession(const LockedSession&) = delete;
  LockedSession& operator=(const LockedSession&) = delete;

 private:
  static LockedSession& of(const vcp_session_t* session) { return *static_cast<LockedSession*>(session->host_data); }

  plugin::testing::FakeSession session_;
  const vcp_session_t* real_ = nullptr;
  std::mutex mutex_;  // guards session_
  vcp_session_t table_{};
};
#endif

}  // namespace

struct Services::Fakes {
  explicit Fakes([[maybe_unused]] plugin::testing::FakeHost& lent_to) : host(lent_to) {}

  plugin::testing::FakeHost& host;
#ifdef VCP_CHECK_SESSION
  LockedSession session{host};
#endif
#ifdef VCP_CHECK_JSON
  plugin::testing::FakeJson json{host};
#endif
#ifdef VCP_CHECK_CRYPTO
  plugin::testing::FakeCrypto crypto{host};
#endif
};

Services::Services(plugin::testing::FakeHost& host) : fakes_(std::make_unique<Fakes>(host)) {}
Services::~Services() = default;

}  // namespace vcp::check

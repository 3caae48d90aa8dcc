// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "live.h"
#include "plugin_host/host_services.h"
#include "plugin_host/http_service.h"
#include "plugin_host/poco_http_transport.h"

namespace vcp::check {
namespace {

/// The controller's own HTTP service behind the suite's calls.
class CoreHost final : public LiveHost {
 public:
  explicit CoreHost(const std::vector<std::string>& origins) : services_({clock_, random_, log_}, "check") {
    auto transport = vcc::makePocoHttpTransport(clock_, {});
    if (!transport.ok()) throw std::runtime_error(transport.status().message());
    transport_ = std::move(*transport);
    for (const std::string& pattern : origins) {
      const vcc::Status good = vcc::checkOriginPattern(pattern);
      if (!good.ok()) throw std::runtime_error("origins: " + good.message());
    }
    services_.lendHttp(std::make_unique<vcc::HttpService>(
        vcc::HttpServiceSeams{*transport_, clock_, log_, &vcc::waitUnless}, "check", vcc::OriginPolicy(origins, true)));
    table_.struct_size = sizeof table_;
    table_.host_data = this;
    table_.request = &request;
  }

  const vcp_http_t* http() const override { return &table_; }

 private:
  /// The suite's call becomes one of the controller, for the time of the request.
  static std::int32_t request(const vcp_http_t* http, const vcp_call_t* call, const vcp_http_request_t* request,
                              const vcp_http_sink_t* out, vcp_error_t* error) {
    const CoreHost& self = *static_cast<const CoreHost*>(http->host_data);
    const std::atomic<bool> cancelled{call->is_cancelled(call) != 0};
    vcc::CallContext context;
    context.deadline_ms = call->deadline_mono_ms - self.clock_.monoMs();
    if (context.deadline_ms <= 0) context.deadline_ms = 1;
    context.cancelled = &cancelled;
    const vcc::CallFrame frame(self.services_, context);
    const vcp_host_t* host = self.services_.table();
    const auto* real = static_cast<const vcp_http_t*>(host->get_extension(host, vcc::toAbi(VCP_HTTP_ID)));
    return real->request(real, frame.raw(), request, out, error);
  }

  const vcc::SystemClock clock_;
  vcc::SystemRandom random_;
  vcc::NullLogger log_;
  std::unique_ptr<vcc::HttpTransport> transport_;
  vcc::HostServices services_;
  vcp_http_t table_{};
};

}  // namespace

bool hasLiveHost() { return true; }

std::unique_ptr<LiveHost> makeLiveHost(const std::vector<std::string>& origins) {
  return std::make_unique<CoreHost>(origins);
}

}  // namespace vcp::check

// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/scrubbing.h"

#include <optional>
#include <string>

#include "plugin_host/call_secrets.h"

namespace vcc {
namespace {

/// Reads the secrets of a call when a text first needs it: most calls say nothing in words.
class Words {
 public:
  Words(const DriverRequest& request, const DriverInfo& info) : request_(request), info_(info) {}

  void clean(std::string& text) {
    if (!text.empty()) text = scrubber().scrub(text);
  }
  void clean(Status& status) {
    if (status.ok()) return;
    Status clean(status.code(), scrubber().scrub(status.message()), status.outcome());
    clean.withProviderCode(scrubber().scrub(status.providerCode())).withRetryAfter(status.retryAfterMs());
    status = std::move(clean);
  }
  void clean(ItemResult& result) {
    clean(result.error);
    clean(result.reason);
  }
  void clean(Observation& seen) {
    clean(seen.error);
    clean(seen.detail);
    clean(seen.provider_code);
  }

 private:
  const Scrubber& scrubber() {
    if (!scrubber_) scrubber_ = secretsOf(request_, info_);
    return *scrubber_;
  }

  const DriverRequest& request_;
  const DriverInfo& info_;
  std::optional<Scrubber> scrubber_;
};

}  // namespace

Scrubber secretsOf(const DriverRequest& request, const DriverInfo& info) {
  return request.context ? scrubberOf(request.context->credentials) : scrubberOf(*request.spec, info.secret_keys);
}

DriverAnswer ScrubbingDriver::intercept(const DriverRequest& request) {
  Words words(request, info());
  DriverRequest cleaned = request;
  const std::function<void(const Observation&)> visit = [&](const Observation& seen) {
    Observation copy = seen;
    words.clean(copy);
    (*request.visit)(copy);
  };
  if (request.call == DriverCall::kList) cleaned.visit = &visit;
  DriverAnswer answer = passOn(cleaned);
  words.clean(answer.status);
  for (ItemResult& result : answer.results) words.clean(result);
  for (Observation& seen : answer.seen) words.clean(seen);
  return answer;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/http_service.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "plugin_host/cancellation.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxPath = 256;

Status notApplied(Code code, const std::string& text) { return Status(code, text, Outcome::kNotApplied); }

}  // namespace

/// A place among the requests under way, given back at the end.
class HttpService::Place {
 public:
  explicit Place(AccountGate& gate) : gate_(gate) {}
  ~Place() { gate_.leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  AccountGate& gate_;
};

HttpService::HttpService(HttpServiceSeams seams, std::string instance, OriginPolicy policy, const HttpLimits& limits)
    : seams_(std::move(seams)),
      instance_(std::move(instance)),
      policy_(std::make_shared<const OriginPolicy>(std::move(policy))),
      gates_(limits) {}

void HttpService::setPolicy(OriginPolicy policy) {
  auto fresh = std::make_shared<const OriginPolicy>(std::move(policy));
  const MutexLock lock(mutex_);
  policy_ = std::move(fresh);
}

std::shared_ptr<const OriginPolicy> HttpService::policy() const {
  const MutexLock lock(mutex_);
  return policy_;
}

Result<HttpResponse> HttpService::send(HttpRequest request, const std::string& account) {
  const Result<HttpUrl> url = parseHttpUrl(request.url);
  if (!url.ok()) return refuse(url.status());
  const std::shared_ptr<const OriginPolicy> policy = this->policy();
  if (const Status allowed = policy->checkUrl(*url); !allowed.ok()) return refuse(allowed);
  // A literal address is judged here too: behind a proxy nobody else does.
  if (url->host.find_first_not_of("0123456789.") == std::string::npos || url->host.find(':') != std::string::npos) {
    if (const Status allowed = policy->checkAddress(*url, url->host); !allowed.ok()) return refuse(allowed);
  }
  request.check_address = [&](const std::string& address) { return policy->checkAddress(*url, address); };

  const std::int64_t start = seams_.clock.monoMs();
  const std::int64_t deadline_mono = start + request.deadline_ms;
  const std::shared_ptr<AccountGate> gate = gates_.get(account, start);
  const auto cancelled = [&] { return request.cancelled && request.cancelled(); };
  while (!gate->enter(std::clamp<std::int64_t>(deadline_mono - seams_.clock.monoMs(), 0, kCancelSliceMs))) {
    if (cancelled()) return notApplied(Code::kCancelled, "the call was cancelled before its request was sent");
    if (seams_.clock.monoMs() >= deadline_mono) {
      return notApplied(Code::kUnavailable, "too many requests of this account are under way; try again later");
    }
  }
  const Place place(*gate);
  if (const Status admitted = admit(request, *gate, deadline_mono); !admitted.ok()) return admitted;

  const std::int64_t sent = seams_.clock.monoMs();
  request.deadline_ms = deadline_mono - sent;
  Result<HttpResponse> result = seams_.transport.send(request);
  const std::int64_t end = seams_.clock.monoMs();
  if (result.ok() && (result->status == 429 || result->status == 503)) gate->pause(end, result->retry_after_ms);
  record(request, *url, result, end - sent);
  if (!result.ok() && result.status().code() == Code::kPermissionDenied) return refuse(result.status());
  return result;
}

Status HttpService::admit(const HttpRequest& request, AccountGate& gate, std::int64_t deadline_mono) {
  for (;;) {
    if (request.cancelled && request.cancelled()) {
      return notApplied(Code::kCancelled, "the call was cancelled before its request was sent");
    }
    const std::int64_t now = seams_.clock.monoMs();
    const std::int64_t wait_ms = gate.take(now);
    if (wait_ms == 0) return okStatus();
    if (wait_ms >= deadline_mono - now) {
      return std::move(
          notApplied(Code::kUnavailable, "the account has reached its rate, or the cloud asked for a pause")
              .withRetryAfter(wait_ms));
    }
    seams_.wait(
        wait_ms, request.cancelled ? request.cancelled : [] { return false; });
  }
}

Result<HttpResponse> HttpService::refuse(const Status& why) {
  seams_.log.warn("DRIVER_HTTP_REFUSED", why.message(), {{"driver", instance_}});
  return notApplied(why.code(), why.message());
}

void HttpService::record(const HttpRequest& request, const HttpUrl& url, const Result<HttpResponse>& result,
                         std::int64_t ms) {
  const std::string path = cleanUtf8(url.path(), kMaxPath);
  seams_.log.info(
      "DRIVER_HTTP", result.ok() ? "" : result.status().message(),
      {{"driver", instance_},
       {"method", cleanUtf8(request.method, 16)},
       {"origin", url.origin()},
       {"path", path},
       {"status", result.ok() ? std::to_string(result->status) : std::string(codeName(result.status().code()))},
       {"ms", ms},
       {"sent_bytes", request.body.size()},
       {"bytes", result.ok() ? result->body.size() : 0}});
}

}  // namespace vcc

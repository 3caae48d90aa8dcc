// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "plugin_host/account_gate.h"
#include "plugin_host/http_transport.h"
#include "plugin_host/origin_policy.h"

namespace vcc {

/// Waits `ms` on the caller's thread; `stop` is asked on the way. False when it stopped.
using Wait = std::function<bool(std::int64_t ms, const std::function<bool()>& stop)>;

struct HttpServiceSeams {
  HttpTransport& transport;
  const Clock& clock;
  Logger& log;
  Wait wait;  ///< waitUnless (host_services.h) outside tests
};

/// HTTP as one driver instance gets it (architecture 11, 16): only to the administrator's origins, gently per account,
/// and written down. The line of a call has method, origin, path, status, time and size; never headers, query values or
/// bodies. Thread safe; borrows its seams.
class HttpService {
 public:
  HttpService(HttpServiceSeams seams, std::string instance, OriginPolicy policy, const HttpLimits& limits = {});

  /// As HttpTransport::send, in which `check_address` is replaced. `account` names who pays for the rate; empty = the
  /// instance. Blocks until the account may be asked; when that would take longer than the deadline allows, it fails at
  /// once with kUnavailable, not applied, and the time to wait. 429 and 503 with Retry-After pause the account.
  Result<HttpResponse> send(HttpRequest request, const std::string& account);

  /// Other origins for requests from now on; those under way keep theirs.
  void setPolicy(OriginPolicy policy);

 private:
  class Place;
  Status admit(const HttpRequest& request, AccountGate& gate, std::int64_t deadline_mono);
  Result<HttpResponse> refuse(const Status& why);
  std::shared_ptr<const OriginPolicy> policy() const;
  void record(const HttpRequest& request, const HttpUrl& url, const Result<HttpResponse>& result, std::int64_t ms);

  const HttpServiceSeams seams_;
  const std::string instance_;
  mutable Mutex mutex_;
  std::shared_ptr<const OriginPolicy> policy_ VCC_GUARDED_BY(mutex_);
  AccountGates gates_;
};

}  // namespace vcc

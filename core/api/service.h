// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/auth.h"
#include "api/http_types.h"
#include "api/router.h"
#include "base/clock.h"
#include "base/log.h"

namespace vcc {

/// A routing table behind a listener: finds the route, authenticates before the body is read, maps errors. All
/// references outlive it. Thread safe.
class RoutedService final : public HttpHandler {
 public:
  RoutedService(Router router, Doorkeeper& doorkeeper, const Clock& clock, Logger& log)
      : router_(std::move(router)), doorkeeper_(doorkeeper), clock_(clock), log_(log) {}

  Admission admit(const HttpHead& head) override;
  HttpAnswer refuse(const Status& status, const std::string& request_id) const override;
  HttpAnswer refuse(HttpRefusal refusal, std::string_view text) const override;

 private:
  Result<Admission> decide(const HttpHead& head);
  HttpAnswer run(const Route& route, const ApiRequest& request) const;

  Router router_;
  Doorkeeper& doorkeeper_;
  const Clock& clock_;
  Logger& log_;
};

}  // namespace vcc

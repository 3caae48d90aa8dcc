// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "api/http_types.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "secrets/secret_store.h"
#include "secrets/tokens.h"
#include "store/store.h"

namespace vcc {

/// Who a token belongs to; `peer` is the address it comes from. kUnauthenticated, or kResourceExhausted with a pause
/// for an address that guesses.
using Authenticate = std::function<Result<Principal>(const std::string& peer, const std::string& token)>;

/// All references outlive the service.
struct VaultSeams {
  Store& store;
  SecretStore& secrets;
  Authenticate authenticate;
  const Clock& clock;
  Random& random;
  Logger& log;
  std::string vcc_id;
};

/// The part of Vault's HTTP API that notebooks, hvac and Ansible use (spec/rest-protocol 12, operations 6.6), with the
/// access token of the REST API as the Vault token: sys/health, sys/init, sys/seal-status, auth/token/lookup-self, and
/// the two stores cubbyhole/ and secret/ (key-value version 1). Everything else is denied, as the policy of user tokens
/// says: renewing, revoking, capabilities, wrapping. Errors are {"errors": [...]}. Thread safe.
class VaultService final : public HttpHandler {
 public:
  explicit VaultService(VaultSeams seams) : seams_(std::move(seams)) {}

  Admission admit(const HttpHead& head) override;
  HttpAnswer refuse(const Status& status, const std::string& request_id) const override;
  HttpAnswer refuse(HttpRefusal refusal, std::string_view text) const override;

 private:
  Result<Admission> decide(const HttpHead& head);
  Result<HttpAnswer> serve(const HttpHead& head, const Principal& who, const std::string& path, std::string body);
  Result<HttpAnswer> serveSecret(const HttpHead& head, const Principal& who, const std::string& path, std::string body);
  Result<HttpAnswer> lookupSelf(const HttpHead& head, const Principal& who) const;
  std::string health() const;
  std::string sealStatus() const;
  /// What Vault puts around every answer with data.
  HttpAnswer envelope(const std::string& data, std::int64_t lease_s = 0) const;

  VaultSeams seams_;
};

}  // namespace vcc

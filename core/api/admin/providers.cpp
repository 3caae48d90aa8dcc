// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "base/encoding.h"
#include "engine/spec_json.h"

namespace vcc {
namespace {

constexpr std::int64_t kWaitMs = 20000;

std::string_view verdictOf(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kFailedPrecondition:
      return "refused";
    default:
      return "unknown";
  }
}

/// The credentials in the body, which has nothing else to bring.
Result<SecretString> credentialsOf(const JsonBody& body, const DriverInfo& info) {
  VCC_ASSIGN_OR_RETURN(const std::string text, body.text("credentials", "{}"));
  Result<SplitParams> split = splitSecrets(text, info.secret_keys);
  if (!split.ok() || split->clear != "{}") {
    return invalidArgument(
        fmt::format("body of the request: \"credentials\" must be a JSON object of the secrets of "
                    "provider {}: {}",
                    info.provider,
                    info.secret_keys.empty() ? "it has none" : fmt::format("{}", fmt::join(info.secret_keys, ", "))));
  }
  if (split->named.reveal().find("\"vault:") != std::string::npos) {
    return invalidArgument(
        "body of the request: \"credentials\" refers to vault://; only the token of a user reads "
        "that, so write the values themselves");
  }
  return split->named;
}

}  // namespace

Result<HttpAnswer> checkProvider(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, JsonBody::parse(request.body));
  VCC_ASSIGN_OR_RETURN(const std::string provider, body.text("provider", ""));
  VCC_ASSIGN_OR_RETURN(const std::string network, body.text("network", "default"));
  const DriverSlot* slot = seams.drivers.byProvider(provider);
  if (slot == nullptr) return notFound("no driver serves provider " + cleanUtf8(provider, 64));
  if (!slot->driver) {
    return unavailable("provider " + provider + ": its driver is not loaded: " + slot->refusal.message());
  }
  VCC_ASSIGN_OR_RETURN(const CatalogEntry entry, seams.catalog()->entry(provider, network));
  VCC_ASSIGN_OR_RETURN(const SecretString credentials, credentialsOf(body, slot->driver->info()));
  const std::int64_t begun = seams.clock.monoMs();
  const Status answer = seams.probe.ask(*slot, entry.json, credentials, kWaitMs);
  const std::int64_t taken = seams.clock.monoMs() - begun;
  seams.log.info(
      "ADMIN_PROVIDER_CHECKED", "credentials were tried at a cloud",
      {{"provider", provider}, {"network", network}, {"code", codeName(answer.code())}, {"by", request.peer}});
  JsonWriter json;
  json.beginObject();
  json.key("provider").string(provider).key("network").string(entry.name).key("instance").string(slot->instance);
  json.key("state").string(verdictOf(answer.code()));
  json.key("code").string(codeName(answer.code()));
  json.key("provider_code").string(answer.providerCode());
  json.key("message").string(answer.message());
  json.key("ms").integer(taken);
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "api/vault/vault_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "api/error_map.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/path.h"
#include "base/encoding.h"
#include "base/version.h"

namespace vcc {
namespace {

constexpr std::int64_t kSharedLeaseS = 2764800;  // Vault's own default; cubbyholes have none
constexpr std::array<std::string_view, 5> kMethods{"GET", "LIST", "POST", "PUT", "DELETE"};

constexpr std::string_view kHelp =
    "Keep values here: POST or PUT a JSON object to a path, GET it, LIST a folder, DELETE a path. cubbyhole/ belongs "
    "to "
    "your token alone and goes with it; secret/ is shared by everybody with a token. A CCI refers to the text under "
    "the "
    "key `value` as vault://cubbyhole/PATH.";

HttpAnswer errors(int status, const std::vector<std::string>& texts) {
  JsonWriter json;
  json.beginObject().key("errors").beginArray();
  for (const std::string& text : texts) json.string(text);
  json.endArray().endObject();
  return {status, json.take(), {}};
}

HttpAnswer denied() { return errors(403, {"permission denied"}); }

/// What the query of the target says about `name`; "" for a bare name, nothing when it is not there.
std::optional<std::string_view> queryValue(std::string_view target, std::string_view name) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  for (std::size_t begin = mark + 1; begin < target.size();) {
    const std::size_t end = std::min(target.find('&', begin), target.size());
    const std::string_view pair = target.substr(begin, end - begin);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name) return pair.substr(std::min(equals + 1, pair.size()));
    begin = end + 1;
  }
  return std::nullopt;
}

/// Every spelling of true that Vault takes; hvac writes Python's `True`.
bool asksForList(std::string_view target) {
  constexpr std::array<std::string_view, 6> kTrue{"true", "True", "TRUE", "t", "T", "1"};
  const std::optional<std::string_view> value = queryValue(target, "list");
  return value && std::find(kTrue.begin(), kTrue.end(), *value) != kTrue.end();
}

/// The path behind /v1/, decoded: "cubbyhole/aws/access_key", with a trailing slash where there was one.
Result<std::string> pathOf(std::string_view target) {
  VCC_ASSIGN_OR_RETURN(const std::vector<std::string> segments, splitTarget(target));
  if (segments.size() < 2 || segments.front() != "v1") return notFound("the API begins with /v1/");
  std::string path = segments[1];
  for (std::size_t i = 2; i < segments.size(); ++i) path += "/" + segments[i];
  return path;
}

bool isBelow(std::string_view path, std::string_view mount) {
  return path == mount || (path.starts_with(mount) && path.substr(mount.size()).starts_with('/'));
}

std::string uuid(Random& random) {
  const std::string hex = randomHex(random, 16);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

std::string isoTime(std::int64_t wall_ms) {
  std::string text = formatUtc(wall_ms);  // 2026/11/23 02:05:06 UTC
  text.resize(19);
  text[4] = text[7] = '-';
  text[10] = 'T';
  return text + "Z";
}

}  // namespace

HttpAnswer VaultService::refuse(const Status& status, const std::string& request_id) const {
  switch (status.code()) {
    case Code::kNotFound:
      return errors(404, {});
    case Code::kInvalidArgument:
      return errors(400, {status.message()});
    case Code::kOutOfRange:
      return errors(413, {status.message()});
    case Code::kUnauthenticated:
      return denied();
    case Code::kPermissionDenied:
      return errors(403, {"permission denied", status.message()});
    case Code::kResourceExhausted: {
      HttpAnswer answer = errors(429, {status.message()});
      if (status.retryAfterMs() > 0) {
        answer.headers.emplace_back("Retry-After", std::to_string((status.retryAfterMs() + 999) / 1000));
      }
      return answer;
    }
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return errors(503, {status.message()});
    default:
      seams_.log.error("API_INTERNAL_ERROR", status.toString());
      return errors(500, {"internal error; the log of the controller tells more under request id " + request_id});
  }
}

HttpAnswer VaultService::refuse(HttpRefusal refusal, std::string_view text) const {
  return errors(statusOf(refusal), {std::string(text)});
}

Admission VaultService::admit(const HttpHead& head) {
  Result<Admission> decided = decide(head);
  if (decided.ok()) return std::move(decided).value();
  Admission admission;
  admission.refusal = refuse(decided.status(), head.id);
  return admission;
}

Result<Admission> VaultService::decide(const HttpHead& head) {
  VCC_ASSIGN_OR_RETURN(const std::string path, pathOf(head.target));
  const bool looks = head.method == "GET" || head.method == "HEAD";
  Admission admission;
  if (looks && path == "sys/health") {
    admission.refusal = HttpAnswer{200, health(), {}};
    return admission;
  }
  if (looks && path == "sys/init") {
    admission.refusal = HttpAnswer{200, R"({"initialized":true})", {}};
    return admission;
  }
  if (looks && path == "sys/seal-status") {
    admission.refusal = HttpAnswer{200, sealStatus(), {}};
    return admission;
  }
  VCC_ASSIGN_OR_RETURN(const Principal who, seams_.authenticate(head.peer, head.vault_token));
  admission.user = who.user;
  if (!head.wrap_ttl.empty()) {
    admission.refusal = denied();
    return admission;
  }
  admission.run = [this, head, who, path](std::string body) {
    Result<HttpAnswer> answer = serve(head, who, path, std::move(body));
    return answer.ok() ? *std::move(answer) : refuse(answer.status(), head.id);
  };
  return admission;
}

Result<HttpAnswer> VaultService::serve(const HttpHead& head, const Principal& who, const std::string& path,
                                       std::string body) {
  const bool looks = head.method == "GET" || head.method == "HEAD";
  if (isBelow(path, "cubbyhole") || isBelow(path, "secret")) {
    if (looks && queryValue(head.target, "help")) {
      JsonWriter json;
      json.beginObject().key("help").string(kHelp).key("see_also").raw("null").endObject();
      return HttpAnswer{200, json.take(), {}};
    }
    return serveSecret(head, who, path, std::move(body));
  }
  if (looks && path == "auth/token/lookup-self") return lookupSelf(head, who);
  if (path == "sys/leases/lookup" && (head.method == "POST" || head.method == "PUT")) {
    return errors(400, {"invalid lease"});  // no value here has a lease
  }
  return denied();
}

Result<HttpAnswer> VaultService::serveSecret(const HttpHead& head, const Principal& who, const std::string& path,
                                             std::string body) {
  const std::string method = head.method == "HEAD" ? "GET" : head.method;
  if (method == "LIST" || (method == "GET" && asksForList(head.target))) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    std::string folder = path.substr(std::min(slash + 1, path.size()));
    if (!folder.empty() && folder.back() == '/') folder.pop_back();
    VCC_ASSIGN_OR_RETURN(const std::vector<std::string> names, seams_.secrets.list(who, path.substr(0, slash), folder));
    JsonWriter json;
    json.beginObject().key("keys").beginArray();
    for (const std::string& name : names) json.string(name);
    json.endArray().endObject();
    return envelope(json.take());
  }
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
    return errors(405, {"unsupported operation"});
  }
  VCC_ASSIGN_OR_RETURN(const SecretPath where, parseSecretPath(path));
  if (method == "GET") {
    VCC_ASSIGN_OR_RETURN(const SecretString object, seams_.secrets.read(who, where));
    return envelope(object.reveal(), where.mount == "secret" ? kSharedLeaseS : 0);
  }
  if (method == "DELETE") {
    VCC_RETURN_IF_ERROR(seams_.secrets.remove(who, where));
  } else {
    const SecretString object(std::move(body));
    VCC_RETURN_IF_ERROR(JsonBody::parse(object.reveal()).status());
    VCC_RETURN_IF_ERROR(seams_.secrets.write(who, where, object));
  }
  return HttpAnswer{204, "", {}};
}

Result<HttpAnswer> VaultService::lookupSelf(const HttpHead& head, const Principal& who) const {
  std::int64_t created_at = 0;
  std::int64_t expires_at = 0;
  seams_.store.read([&](const ReadTx& tx) {
    if (const Token* token = tx.tokens().find(who.token_hash)) {
      created_at = token->created_at;
      expires_at = token->expires_at;
    }
  });
  const bool reader = who.api_role == ApiRole::kReadOnly;
  JsonWriter json;
  json.beginObject();
  json.key("accessor").string(hexEncode(sha256("accessor" + who.token_hash)).substr(0, 24));
  json.key("creation_time").integer(created_at / 1000);
  json.key("creation_ttl").integer((expires_at - created_at) / 1000);
  json.key("display_name").string("token-" + who.user);
  json.key("entity_id").string("");
  json.key("expire_time").string(isoTime(expires_at));
  json.key("explicit_max_ttl").integer(0);
  json.key("id").string(head.vault_token);
  json.key("issue_time").string(isoTime(created_at));
  json.key("meta").beginObject();
  json.key("user").string(who.user).key("api_role").string(reader ? "readonly" : "fullaccess").endObject();
  json.key("num_uses").integer(0);
  json.key("orphan").boolean(true);
  json.key("path").string("auth/token/create");
  json.key("policies").beginArray().string("vcc_token_policy").endArray();
  json.key("renewable").boolean(false);
  json.key("ttl").integer(std::max<std::int64_t>(expires_at - seams_.clock.wallMs(), 0) / 1000);
  json.key("type").string("service");
  json.endObject();
  return envelope(json.take());
}

std::string VaultService::health() const {
  JsonWriter json;
  json.beginObject();
  json.key("initialized").boolean(true).key("sealed").boolean(false).key("standby").boolean(false);
  json.key("performance_standby").boolean(false);
  json.key("replication_performance_mode").string("disabled").key("replication_dr_mode").string("disabled");
  json.key("server_time_utc").integer(seams_.clock.wallMs() / 1000);
  json.key("version").string(kVersion).key("cluster_name").string("vcc").key("cluster_id").string(seams_.vcc_id);
  json.endObject();
  return json.take();
}

std::string VaultService::sealStatus() const {
  JsonWriter json;
  json.beginObject();
  json.key("type").string("shamir").key("initialized").boolean(true).key("sealed").boolean(false);
  json.key("t").integer(1).key("n").integer(1).key("progress").integer(0).key("nonce").string("");
  json.key("version").string(kVersion).key("migration").boolean(false).key("recovery_seal").boolean(false);
  json.key("storage_type").string("file").key("cluster_name").string("vcc").key("cluster_id").string(seams_.vcc_id);
  json.endObject();
  return json.take();
}

HttpAnswer VaultService::envelope(const std::string& data, std::int64_t lease_s) const {
  JsonWriter json;
  json.beginObject();
  json.key("request_id").string(uuid(seams_.random)).key("lease_id").string("").key("renewable").boolean(false);
  json.key("lease_duration").integer(lease_s).key("data").raw(data);
  json.key("wrap_info").raw("null").key("warnings").raw("null").key("auth").raw("null");
  json.endObject();
  return {200, json.take(), {}};
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "api/admin/admin_api.h"

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "secrets/tokens.h"

namespace vcc {
namespace {

constexpr std::int64_t kMaxDays = 36500;
constexpr std::size_t kMaxNoteBytes = 1000;

std::string_view roleName(UserRole role) { return role == UserRole::kSuper ? "super" : "regular"; }
std::string_view roleName(ApiRole role) { return role == ApiRole::kReadOnly ? "readonly" : "fullaccess"; }

Status wrongRole(const std::string& given, std::string_view choices) {
  return invalidArgument("body of the request: \"role\" is \"" + cleanUtf8(given, 64) + "\"; it must be " +
                         std::string(choices));
}

Result<HttpAnswer> listUsers(const AdminSeams& seams, const ApiRequest&) {
  JsonWriter json;
  json.beginObject().key("users").beginArray();
  seams.store.read([&](const ReadTx& tx) {
    tx.users().scan([&](const User& user) {
      json.beginObject();
      json.key("name").string(user.name);
      json.key("role").string(roleName(user.role));
      json.key("cdate").string(formatUtc(user.created_at));
      json.endObject();
      return true;
    });
  });
  json.endArray().endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> makeUser(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string name, body.text("name", ""));
  VCC_ASSIGN_OR_RETURN(const std::string role, body.text("role", "regular"));
  if (role != "regular" && role != "super") return wrongRole(role, "regular or super");
  VCC_RETURN_IF_ERROR(addUser(seams.store, name, role == "super" ? UserRole::kSuper : UserRole::kRegular));
  seams.log.info("ADMIN_USER_ADDED", "a user was made", {{"user", name}, {"role", role}, {"by", request.peer}});
  return HttpAnswer{200, "{}", {}};
}

Result<HttpAnswer> listTokens(const AdminSeams& seams, const ApiRequest&) {
  JsonWriter json;
  json.beginObject().key("tokens").beginArray();
  seams.store.read([&](const ReadTx& tx) {
    tx.tokens().scan([&](const Token& token) {
      json.beginObject();
      json.key("head").string(token.head);
      json.key("user").string(token.user);
      json.key("role").string(roleName(token.role));
      json.key("note").string(token.note);
      json.key("mail").string(token.mail);
      json.key("cdate").string(formatUtc(token.created_at));
      json.key("expires").string(formatUtc(token.expires_at));
      json.endObject();
      return true;
    });
  });
  json.endArray().endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> makeToken(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  NewToken wanted;
  VCC_ASSIGN_OR_RETURN(wanted.user, body.text("user", wanted.user));
  VCC_ASSIGN_OR_RETURN(const std::string role, body.text("role", "fullaccess"));
  if (role != "fullaccess" && role != "readonly") return wrongRole(role, "fullaccess or readonly");
  wanted.role = role == "readonly" ? ApiRole::kReadOnly : ApiRole::kFullAccess;
  VCC_ASSIGN_OR_RETURN(wanted.note, body.text("note", ""));
  VCC_ASSIGN_OR_RETURN(wanted.mail, body.text("mail", ""));
  if (wanted.note.size() > kMaxNoteBytes || wanted.mail.size() > kMaxNoteBytes) {
    return invalidArgument("body of the request: \"note\" and \"mail\" may have " + std::to_string(kMaxNoteBytes) +
                           " bytes each");
  }
  VCC_ASSIGN_OR_RETURN(const std::int64_t days, body.integer("days", 0));
  if (days < 0 || days > kMaxDays) {
    return invalidArgument("body of the request: \"days\" must be 0 (ten years) to " + std::to_string(kMaxDays));
  }
  wanted.life_ms = days * kDayMs;
  VCC_ASSIGN_OR_RETURN(const SecretString token, createToken(seams.store, seams.random, wanted));
  seams.log.info("ADMIN_TOKEN_MADE", "a token was made",
                 {{"head", tokenHead(token.reveal())}, {"user", wanted.user}, {"role", role}, {"by", request.peer}});
  JsonWriter json;
  json.beginObject().key("token").string(token.reveal()).key("user").string(wanted.user).key("role").string(role);
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> dropToken(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string token, body.text("token", ""));
  VCC_ASSIGN_OR_RETURN(const bool purge, body.flag("purge_grants", false));
  VCC_ASSIGN_OR_RETURN(const std::int64_t purged, revokeToken(seams.store, token, purge));
  seams.log.info("ADMIN_TOKEN_REVOKED", "a token was revoked",
                 {{"head", tokenHead(token)}, {"purged_grants", purged}, {"by", request.peer}});
  JsonWriter json;
  json.beginObject().key("purged_grants").integer(purged).endObject();
  return HttpAnswer{200, json.take(), {}};
}

using AdminAction = Result<HttpAnswer> (*)(const AdminSeams&, const ApiRequest&);

}  // namespace

std::vector<Route> adminRoutes(const AdminSeams& seams) {
  const auto shared = std::make_shared<const AdminSeams>(seams);
  const auto route = [&shared](std::string method, std::string pattern, AdminAction action) {
    return Route{std::move(method), std::move(pattern), false, false,
                 [shared, action](const ApiRequest& request) { return action(*shared, request); }};
  };
  return {
      route("GET", "/status",
            [](const AdminSeams& s, const ApiRequest&) -> Result<HttpAnswer> {
              return HttpAnswer{200, statusJson(s), {}};
            }),
      route("GET", "/users", listUsers),
      route("POST", "/users", makeUser),
      route("GET", "/tokens", listTokens),
      route("POST", "/tokens", makeToken),
      route("POST", "/tokens/revoke", dropToken),
      route("GET", "/plugins", listPlugins),
      route("POST", "/plugins/load", loadPlugin),
      route("POST", "/providers/check", checkProvider),
      route("POST", "/onprem/check", checkServer),
      route("POST", "/onprem/prepare", prepareServer),
      route("GET", "/events?after&limit&vcid", listEvents),
      route("GET", "/vcs", listVcs),
      route("GET", "/vcs/{vcid}/progress", showProgress),
      route("POST", "/vcs/{vcid}/purge", purgeVc),
      route("POST", "/vcs/{vcid}/{unit}/clear_processing", clearProcessing),
      route("POST", "/vcs/{vcid}/{unit}/{node_no}/state", setNodeState),
      route("GET", "/sweep", showSweep),
      route("POST", "/sweep", sweepNow),
      route("POST", "/sweep/{id}/delete", deleteStray),
      route("POST", "/checks", startCheck),
      route("GET", "/checks/{id}", showCheck),
      seams.notices.withoutToken(),
  };
}

}  // namespace vcc

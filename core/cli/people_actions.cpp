// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <iostream>

#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

Result<std::int64_t> parseDays(const std::string& text) {
  std::int64_t days = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc() || end != text.data() + text.size() || days < 1) {
    return invalidArgument("--days must be a number of days, 1 or more");
  }
  return days;
}

/// The token after -t; `-` keeps it out of the process list.
Result<std::string> givenToken(const Arguments& arguments) {
  std::string token = arguments.get("--token");
  if (token == "-") {
    token.clear();
    std::getline(std::cin, token);
  }
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty()) return invalidArgument("say which token with -t TOKEN, or -t - to read it from standard input");
  return token;
}

}  // namespace

Status addUser(const std::string& socket_path, const Arguments& arguments) {
  const std::string& name = arguments.positional.front();
  const std::string role = arguments.get("--role", "regular");
  VCC_ASSIGN_OR_RETURN(const Json answer,
                       askController(socket_path, "POST", "/users", jsonObject({{"name", name}, {"role", role}})));
  static_cast<void>(answer);
  std::cout << "user " << printable(name) << " made, role " << role << '\n';
  return okStatus();
}

Status listUsers(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(const Json answer, askController(socket_path, "GET", "/users", ""));
  if (arguments.has("--json")) {
    std::cout << answer.pretty() << '\n';
    return okStatus();
  }
  std::vector<std::vector<std::string>> rows{{"NAME", "ROLE", "MADE"}};
  for (const Json& user : answer.items("users"))
    rows.push_back({user.text("name"), user.text("role"), user.text("cdate")});
  std::cout << formatTable(rows);
  return okStatus();
}

Status createToken(const std::string& socket_path, const Arguments& arguments) {
  std::vector<JsonField> fields{{"user", arguments.get("--user", "nobody")},
                                {"role", arguments.has("--readonly") ? "readonly" : "fullaccess"},
                                {"note", arguments.get("--note")},
                                {"mail", arguments.get("--mail")}};
  if (arguments.has("--days")) {
    VCC_ASSIGN_OR_RETURN(const std::int64_t days, parseDays(arguments.get("--days")));
    fields.emplace_back("days", days);
  }
  VCC_ASSIGN_OR_RETURN(const Json answer, askController(socket_path, "POST", "/tokens", jsonObject(fields)));
  std::cout << (arguments.has("--json") ? answer.pretty() : answer.text("token")) << '\n';
  return okStatus();
}

Status listTokens(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(const Json answer, askController(socket_path, "GET", "/tokens", ""));
  if (arguments.has("--json")) {
    std::cout << answer.pretty() << '\n';
    return okStatus();
  }
  std::vector<std::vector<std::string>> rows{{"HEAD", "USER", "ROLE", "EXPIRES", "NOTE", "MAIL"}};
  for (const Json& token : answer.items("tokens")) {
    rows.push_back({token.text("head"), token.text("user"), token.text("role"), token.text("expires"),
                    token.text("note"), token.text("mail")});
  }
  std::cout << formatTable(rows);
  return okStatus();
}

Status revokeToken(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(const std::string token, givenToken(arguments));
  const bool purge = arguments.has("--purge-grants");
  VCC_ASSIGN_OR_RETURN(const Json answer,
                       askController(socket_path, "POST", "/tokens/revoke",
                                     jsonObject({{"token", token}, {"purge_grants", purge ? "true" : "false"}})));
  std::cout << "token revoked";
  if (purge) std::cout << ", credentials of " << answer.number("purged_grants") << " units wiped";
  std::cout << '\n';
  return okStatus();
}

}  // namespace vcc::cli

// SPDX-License-Identifier: Apache-2.0
#include "api/auth.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace vcc {
namespace {

std::string_view strip(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool isTrue(std::string_view text) {
  constexpr std::string_view kTrue = "true";
  return std::equal(text.begin(), text.end(), kTrue.begin(), kTrue.end(),
                    [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

}  // namespace

Result<Principal> Doorkeeper::authenticate(std::string_view peer, std::string_view token) {
  const std::string_view bare = strip(token);
  if (bare.empty()) return vcc::authenticate(store_, bare);  // nobody guesses with nothing
  VCC_RETURN_IF_ERROR(gate_.check(peer, bare));
  Result<Principal> who = vcc::authenticate(store_, bare);
  if (who.ok()) {
    gate_.succeeded(peer, who->token_hash);
  } else {
    gate_.failed(peer, tokenHash(bare));
  }
  return who;
}

Result<Caller> Doorkeeper::admit(std::string_view peer, std::string_view token, std::string_view privileged,
                                 bool mutating) {
  Caller caller;
  VCC_ASSIGN_OR_RETURN(caller.principal, authenticate(peer, token));
  const Principal& who = caller.principal;
  if (isTrue(strip(privileged))) {
    if (who.user_role != UserRole::kSuper) {
      return permissionDenied(who.token_head + ":privileged mode is refused: user " + who.user +
                              " has the role regular, it needs the role super");
    }
    caller.privileged = true;
  }
  if (mutating && who.api_role == ApiRole::kReadOnly) {
    return permissionDenied(who.token_head +
                            ":the request is refused: the token has the role readonly, it needs the role "
                            "fullaccess");
  }
  return caller;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <iterator>

#include "base/file_system.h"
#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

constexpr std::size_t kMaxCredentialBytes = 64U << 10U;

Result<std::string> givenCredentials(const Arguments& arguments) {
  const std::string file = arguments.get("--credentials");
  if (file.empty()) return std::string("{}");
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  PosixFileSystem files;
  return files.read(file, kMaxCredentialBytes);
}

}  // namespace

Status checkProvider(const std::string& socket_path, const Arguments& arguments) {
  const std::string& provider = arguments.positional.front();
  VCC_ASSIGN_OR_RETURN(const std::string credentials, givenCredentials(arguments));
  VCC_ASSIGN_OR_RETURN(const Json answer, askController(socket_path, "POST", "/providers/check",
                                                        jsonObject({{"provider", provider},
                                                                    {"network", arguments.get("--network", "default")},
                                                                    {"credentials", credentials}})));
  const std::string what = provider + " (entry " + answer.text("network") + ")";
  const bool works = answer.text("state") == "ok";
  if (arguments.has("--json")) {
    std::cout << answer.pretty() << '\n';
  } else if (works) {
    std::cout << printable(what) << ": works, answered in " << answer.number("ms") << " ms\n";
  }
  if (works) return okStatus();
  const std::string code = answer.text("provider_code").empty() ? "" : " [" + answer.text("provider_code") + "]";
  const char* verdict = answer.text("state") == "refused" ? ": refused: " : ": nobody can say: ";
  return failedPrecondition(what + verdict + answer.text("message") + code);
}

}  // namespace vcc::cli

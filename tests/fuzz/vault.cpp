// SPDX-License-Identifier: Apache-2.0
// What users keep at a path: "PATH\nBODY", each as the Vault-shaped API and the references in CCIs read it.
#include "base/encoding.h"
#include "fuzz.h"
#include "model/json_tree.h"
#include "secrets/secret_path.h"

using namespace vcc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const Result<SecretPath> path = parseSecretPath(text.substr(0, end));
  if (path.ok()) {
    fuzz::require(isUtf8(path->text()), "a path that is not UTF-8");
    fuzz::require(("/" + path->path + "/").find("/../") == std::string::npos, "a path that leads out");
  }
  const std::string body = text.substr(std::min(end + 1, text.size()));
  if (!isUtf8(body)) return 0;
  const Result<YamlValue> tree = treeFromJson(body);
  if (!tree.ok()) return 0;
  const std::string once = toJson(*tree);
  const Result<YamlValue> again = treeFromJson(once);
  fuzz::require(again.ok(), "written JSON that does not parse");
  fuzz::require(toJson(*again) == once, "JSON that changes when it is read and written again");
  return 0;
}

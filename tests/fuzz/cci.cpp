// SPDX-License-Identifier: Apache-2.0
// The CCI of a UnitGroup or a unit, as base64 and as the YAML in it, and what is made of one that parses.
#include "model/cci.h"
#include "base/encoding.h"
#include "fuzz.h"

using namespace vcc;

namespace {

void parse(const std::string& encoded) {
  const Result<VcCci> vc = parseVcCci(encoded);
  fuzz::require(vc.ok() || !vc.status().message().empty(), "a refusal without a word");
  Result<UnitCci> unit = parseUnitCci(encoded);
  if (!unit.ok()) {
    const Code code = unit.status().code();
    fuzz::require(code == Code::kInvalidArgument || code == Code::kResourceExhausted,
                  "a refusal that is no 400 or 429");
    fuzz::require(isUtf8(unit.status().message()), "a refusal that is not UTF-8");
    return;
  }
  const Status settled = settleCount(*unit, false);
  fuzz::require(settled.ok() || settled.code() == Code::kInvalidArgument, "a refusal that is no 400");
  fuzz::require(isUtf8(maskedInfo(*unit, {"instance_type", "tags"})), "info that is not UTF-8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  parse(text);
  parse(base64Encode(text));
  // By itself as well: a whole document that leads there is a rare find.
  const Result<VolumeMount> volume = parseVolume(text);
  if (volume.ok())
    fuzz::require(("/" + volume->container + "/").find("/../") == std::string::npos, "a path that leads out");
  return 0;
}

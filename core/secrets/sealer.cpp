// SPDX-License-Identifier: Apache-2.0
#include "secrets/sealer.h"

#include "base/aead.h"
#include "base/encoding.h"

namespace vcc {
namespace {

/// Also the version: another way of sealing gets another mark. No JSON text begins with it.
constexpr std::string_view kMark = "sealed1:";

}  // namespace

Sealer::Sealer(const SecretString& data_key, Random& random)
    : seal_key_(hmacSha256(data_key.reveal(), "seal")),
      fingerprint_key_(hmacSha256(data_key.reveal(), "fingerprint")),
      random_(random) {}

std::string Sealer::seal(std::string_view text, std::string_view place) const {
  return std::string(kMark) + aeadSeal(seal_key_, random_, text, place);
}

Result<SecretString> Sealer::open(std::string_view sealed, std::string_view place) const {
  const auto refuse = [place](std::string_view why) {
    return dataLoss(std::string(place) + ": the sealed text cannot be opened: " + std::string(why));
  };
  if (!isSealed(sealed)) return refuse("it is not sealed at all");
  Result<SecretString> text = aeadOpen(seal_key_, sealed.substr(kMark.size()), place);
  if (!text.ok()) return refuse(text.status().message());
  return text;
}

bool Sealer::isSealed(std::string_view text) { return text.starts_with(kMark); }

std::string Sealer::fingerprint(std::string_view text) const {
  return hexEncode(hmacSha256(fingerprint_key_.reveal(), text)).substr(0, 32);
}

std::string placeOf(std::string_view column, std::string_view key) {
  std::string place(column);
  place += ':';
  place += key;
  return place;
}

}  // namespace vcc

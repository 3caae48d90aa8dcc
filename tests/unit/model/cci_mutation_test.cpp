// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "cci_documents.h"
#include "model/cci.h"

using namespace vcc;
using namespace vcc::test;

namespace {

// Pieces that mean something to YAML or to the parser.
constexpr std::array<std::string_view, 24> kPieces{
    "[",    "]",    "{",  "}",   ": ", "- ", "\n",   "\"",    "'",           "&a ", "*a",          "!!x ",
    "None", "null", "? ", "|\n", "#",  "\\", "\xff", "---\n", "99999999999", "\t",  "%YAML 1.2\n", "<<: "};

std::string mutate(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (std::size_t changes = 1 + below(4); changes > 0 && !text.empty(); --changes) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.erase(at, 1 + below(20));
        break;
      case 2:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      case 3: {
        const std::string piece = text.substr(at, 1 + below(80));
        text.insert(below(text.size()), piece);
        break;
      }
      default:
        text.resize(at);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("random changes of valid documents are accepted or refused as invalid, and what is accepted survives JSON") {
  std::mt19937 random(20261123);  // NOLINT: the same documents in every run
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    constexpr std::array<std::string_view, 4> kTexts{kVcText, kAwsText, kOnpremisesText, kStorageText};
    const std::string_view original = kTexts[static_cast<std::size_t>(i) % kTexts.size()];
    std::string base64 = base64Encode(mutate(std::string(original), random));
    if (i % 50 == 0) base64 = mutate(base64, random);
    Status status;
    if (original == kVcText) {
      status = parseVcCci(base64).status();
    } else {
      const auto cci = parseUnitCci(base64);
      status = cci.status();
      if (cci.ok()) {
        const auto back = unitCciFromJson(toJson(*cci));
        REQUIRE(back.ok());
        REQUIRE(*back == *cci);
        REQUIRE_FALSE(maskedInfo(*cci, {"tags"}).empty());
      }
    }
    (status.ok() ? accepted : refused) += 1;
    if (!status.ok() && status.code() != Code::kInvalidArgument) {
      // The one other answer: digits of num_nodes that were doubled.
      REQUIRE(status.code() == Code::kResourceExhausted);
    }
    REQUIRE(isUtf8(status.message()));
  }
  // Neither outcome may be rare, else the test shows little.
  CHECK(accepted > 1000);
  CHECK(refused > 5000);
}

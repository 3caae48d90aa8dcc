// SPDX-License-Identifier: Apache-2.0
#include "base/scrubber.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vcc;

namespace {

std::string scrubbed(const std::vector<std::string>& secrets, const std::string& text) {
  std::vector<SecretString> values;
  for (const std::string& secret : secrets) values.emplace_back(secret);
  return Scrubber(values).scrub(text);
}

}  // namespace

TEST_CASE("scrubber: every occurrence goes, the rest stays") {
  CHECK(scrubbed({"hunter22"}, "hunter22 is not hunter2, hunter22!") == "*** is not hunter2, ***!");
  CHECK(scrubbed({}, "as it was") == "as it was");
  CHECK(Scrubber().scrub("as it was") == "as it was");
}

TEST_CASE("scrubber: a value that contains another goes as a whole") {
  CHECK(scrubbed({"abcd", "abcdefgh"}, "abcdefgh abcd") == "*** ***");
}

TEST_CASE("scrubber: values as JSON, URLs and base64 write them") {
  const std::string secret = "p\"a/s\ns+w";
  CHECK(scrubbed({secret}, R"({"password":"p\"a/s\ns+w"})") == R"({"password":"***"})");
  CHECK(scrubbed({secret}, "https://h/?p=p%22a%2Fs%0As%2Bw&q=1") == "https://h/?p=***&q=1");
  CHECK(scrubbed({"user:password"}, "Basic dXNlcjpwYXNzd29yZA==") == "Basic ***");
}

TEST_CASE("scrubber: a line of a key is as secret as the key, its frame is not") {
  const std::string pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END KEY-----\n";
  CHECK(scrubbed({pem}, "cannot read MIIEvQIBADANBgkqhkiG9w0 after -----BEGIN KEY-----") ==
        "cannot read *** after -----BEGIN KEY-----");
}

TEST_CASE("scrubber: very short values are left alone") { CHECK(scrubbed({"a", "", "123"}, "a 123") == "a 123"); }

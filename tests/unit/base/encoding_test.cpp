// SPDX-License-Identifier: Apache-2.0
#include "base/encoding.h"

#include <doctest/doctest.h>

#include "base/random.h"

using namespace vcc;

TEST_CASE("base64: the vectors of RFC 4648") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(base64Encode(plain) == encoded);
    CHECK(*base64Decode(encoded) == plain);
  }
}

TEST_CASE("base64: random bytes of every length come back") {
  SeededRandom random(7);
  for (std::size_t length = 0; length < 200; ++length) {
    std::string bytes(length, '\0');
    for (char& c : bytes) {
      std::uint8_t byte = 0;
      random.fill({&byte, 1});
      c = static_cast<char>(byte);
    }
    const auto back = base64Decode(base64Encode(bytes));
    REQUIRE(back.ok());
    CHECK(*back == bytes);
  }
}

TEST_CASE("base64url: its alphabet, with whole padding or none") {
  CHECK(base64UrlEncode("\xfb\xef\xff\x01") == "--__AQ");
  CHECK(*base64UrlDecode("--__AQ") == "\xfb\xef\xff\x01");
  CHECK(*base64UrlDecode("--__AQ==") == "\xfb\xef\xff\x01");
  CHECK(*base64UrlDecode("") == "");
  for (const char* text : {"--__AQ=", "++//AQ", "--__A", "--__AR", "--__AQ===", "="}) {
    CAPTURE(text);
    CHECK(base64UrlDecode(text).status().code() == Code::kInvalidArgument);
  }
}

TEST_CASE("base64: what is not strict is refused, with the position") {
  const std::pair<std::string, const char*> bad[] = {
      {"Zm9", "byte 3"},   {"Zm9v\n", "byte 4"}, {"Zm 9v", "byte 2"}, {"Zg=v", "byte 2"}, {"====", "byte 0"},
      {"Zm9v=", "byte 5"}, {"Zg-_", "byte 2"},   {"Zh==", "byte 1"},  {"Zm9=", "byte 2"}, {"=", "byte 1"}};
  for (const auto& [text, position] : bad) {
    CAPTURE(text);
    const auto result = base64Decode(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == Code::kInvalidArgument);
    CHECK_MESSAGE(result.status().message().find(position) != std::string::npos, result.status().message());
  }
}

TEST_CASE("hex and SHA-256") {
  CHECK(hexEncode(std::string("\x00\xff\x1a", 3)) == "00ff1a");
  CHECK(hexEncode(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hexEncode(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("UTF-8: well-formed and malformed") {
  for (const char* good :
       {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    CHECK(isUtf8(good));
    CHECK(cleanUtf8(good, 100) == good);
  }
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF8\x88", "\xC3", "\xE2\x82", "\xF0\x9F\x98",
                          "a\xFF"
                          "b"}) {
    CAPTURE(bad);
    CHECK_FALSE(isUtf8(bad));
    CHECK(isUtf8(cleanUtf8(bad, 100)));
    CHECK(cleanUtf8(bad, 100).find("\xEF\xBF\xBD") != std::string::npos);
  }
}

TEST_CASE("UTF-8: the cut falls on a character boundary") {
  CHECK(cleanUtf8("a\xC3\xA9z", 2) == "a");
  CHECK(cleanUtf8("a\xC3\xA9z", 3) == "a\xC3\xA9");
  CHECK(cleanUtf8("\xFF\xFF", 5) == "\xEF\xBF\xBD");
  CHECK(cleanUtf8("abc", 0).empty());
}

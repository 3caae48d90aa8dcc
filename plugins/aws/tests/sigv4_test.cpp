// SPDX-License-Identifier: Apache-2.0
#include "sigv4.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_crypto.h"

using namespace ec2;
using vcp::plugin::Crypto;
using vcp::plugin::Host;
using vcp::plugin::Json;

namespace {

namespace fs = std::filesystem;

struct Fixture {
  vcp::plugin::testing::FakeHost host;
  vcp::plugin::testing::FakeCrypto fake{host};
  Crypto crypto{Host(host.table())};
};

std::string fileText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string percentDecoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)));
    i += 2;
  }
  return out;
}

/// A request as the suite writes it: request line, headers (a line that begins with a blank goes on), body.
SignedRequest parseRequest(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line) && line.empty()) {
  }
  SignedRequest request;
  request.method = line.substr(0, line.find(' '));
  const std::size_t target_at = line.find(' ') + 1;
  const std::string target = line.substr(target_at, line.rfind(" HTTP/1.1") - target_at);
  request.path = target.substr(0, target.find('?'));
  if (target.find('?') != std::string::npos) request.query = percentDecoded(target.substr(target.find('?') + 1));
  while (std::getline(lines, line) && !line.empty()) {
    if (line[0] == ' ') {
      request.headers.back().second += line;
      continue;
    }
    const std::size_t colon = line.find(':');
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  std::stringstream rest;
  rest << lines.rdbuf();
  request.body = rest.str();
  return request;
}

struct Vector {
  SignedRequest request;
  SigningKey key;
};

Vector parseVector(const Crypto& crypto, const fs::path& folder) {
  const Json context = Json::parse(fileText(folder / "context.json"));
  Vector out{parseRequest(fileText(folder / "request.txt")), {}};
  out.key.access_key = context.at("credentials").at("access_key_id").get<std::string>();
  out.key.secret_key = context.at("credentials").at("secret_access_key").get<std::string>();
  out.key.region = context.at("region").get<std::string>();
  out.key.service = context.at("service").get<std::string>();
  out.key.normalize_path = context.at("normalize").get<bool>();
  for (const char c : context.at("timestamp").get<std::string>()) {
    if (c != '-' && c != ':') out.key.amz_date.push_back(c);
  }
  out.request.headers.emplace_back("X-Amz-Date", out.key.amz_date);
  if (context.at("sign_body").get<bool>()) {
    out.request.headers.emplace_back("x-amz-content-sha256", vcp::plugin::hex(crypto.sha256(out.request.body)));
  }
  const std::string token = context.at("credentials").value("token", "");
  if (!token.empty() && !context.value("omit_session_token", false)) {
    out.request.headers.emplace_back("X-Amz-Security-Token", token);
  }
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "sigv4: the published suite") {
  if (!fs::exists(VCC_SIGV4_VECTORS)) {
    std::cerr << "SKIP: sigv4: " VCC_SIGV4_VECTORS " (the suite of awslabs/aws-c-auth) is not here\n";
    return;
  }
  int count = 0;
  for (const auto& entry : fs::directory_iterator(VCC_SIGV4_VECTORS)) {
    if (!entry.is_directory()) continue;
    CAPTURE(entry.path().filename().string());
    const Vector vector = parseVector(crypto, entry.path());
    const std::string canonical = canonicalRequest(crypto, vector.request, vector.key.normalize_path);
    CHECK(canonical == fileText(entry.path() / "header-canonical-request.txt"));
    const std::string to_sign = stringToSign(crypto, vector.key, canonical);
    CHECK(to_sign == fileText(entry.path() / "header-string-to-sign.txt"));
    CHECK(signature(crypto, vector.key, to_sign) == fileText(entry.path() / "header-signature.txt"));
    ++count;
  }
  CHECK(count == 38);
}

TEST_CASE_FIXTURE(Fixture, "sigv4: the example of the AWS General Reference (IAM ListUsers)") {
  SigningKey key{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "iam", "20150830T123600Z"};
  SignedRequest request;
  request.method = "GET";
  request.query = "Action=ListUsers&Version=2010-05-08";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"Host", "iam.amazonaws.com"},
                     {"X-Amz-Date", "20150830T123600Z"}};
  const std::string canonical = canonicalRequest(crypto, request, true);
  CHECK(vcp::plugin::hex(crypto.sha256(canonical)) ==
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  CHECK(authorization(crypto, key, request) ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST_CASE_FIXTURE(Fixture, "sigv4: of the suite, a plain request and one with odd paths") {
  SigningKey key{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service", "20150830T123600Z"};
  SignedRequest request;
  request.method = "GET";
  request.headers = {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
  const auto signedAs = [&] {
    return signature(crypto, key, stringToSign(crypto, key, canonicalRequest(crypto, request, true)));
  };
  constexpr char kVanilla[] = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
  CHECK(signedAs() == kVanilla);
  for (const char* same : {"/./", "//", "/example/..", "/a/b/../../"}) {
    request.path = same;
    CAPTURE(same);
    CHECK(signedAs() == kVanilla);
  }
  request.path = "/example";
  CHECK(signedAs() != kVanilla);
  request.path = "/";
  key.secret_key.back() = 'Z';
  CHECK(signedAs() != kVanilla);
}

TEST_CASE("sigv4: dates and escapes") {
  CHECK(amzDate(1'440'938'160'000) == "20150830T123600Z");
  CHECK(amzDate(0) == "19700101T000000Z");
  CHECK(percentEncode("aZ09-._~") == "aZ09-._~");
  CHECK(percentEncode("a b+c/ü") == "a%20b%2Bc%2F%C3%BC");
  CHECK(percentEncode("/a b", true) == "/a%20b");
}

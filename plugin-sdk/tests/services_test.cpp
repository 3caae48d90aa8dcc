// SPDX-License-Identifier: Apache-2.0
// The C++ layer of the host's services, over the fakes that tests of drivers use.
#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/crypto.h"
#include "vcp/plugin/cpp/session.h"
#include "vcp/plugin/testing/fake_crypto.h"
#include "vcp/plugin/testing/fake_json.h"
#include "vcp/plugin/testing/fake_session.h"

using namespace vcp::plugin;

namespace {

// The example key of RFC 7515 appendix A.3, published for tests.
constexpr char kEcKey[] = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END EC PRIVATE KEY-----
)";

std::string jsonGet(const vcp_json_t* json, std::string_view document, std::string_view pointer, std::int32_t* type,
                    std::int32_t expected = VCP_OK) {
  detail::TextTaker taken;
  CHECK(json->get(json, borrow(document), borrow(pointer), type, taken.sink()) == expected);
  return taken.take();
}

}  // namespace

TEST_CASE("services: a host without them is refused by name") {
  testing::FakeHost host;
  CHECK_THROWS_WITH_AS(Crypto{Host(host.table())}, "this host does not have vcp.host.crypto/1", Error);
  CHECK_THROWS_WITH_AS(Session{Host(host.table())}, "this host does not have vcp.host.session/1", Error);
}

TEST_CASE("crypto: digests, signatures, base64") {
  testing::FakeHost host;
  const testing::FakeCrypto fake(host);
  const Crypto crypto{Host(host.table())};
  CHECK(hex(crypto.sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(crypto.hmacSha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(crypto.hmacSha256("", "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");

  CHECK(crypto.sign(SignKind::kEcdsaP256Raw, kEcKey, "data").size() == 64);
  CHECK(crypto.sign(SignKind::kEcdsaP256Der, kEcKey, "data").at(0) == '\x30');
  try {
    crypto.sign(SignKind::kRsaPkcs1, kEcKey, "data");
    FAIL("an EC key made an RSA signature");
  } catch (const Error& e) {
    CHECK(e.code() == Code::kInvalidArgument);
    CHECK(e.outcome() == Outcome::kNotApplied);
    CHECK(e.message().find("private key") != std::string::npos);
  }

  CHECK(crypto.base64("") == "");
  CHECK(crypto.base64("\xfb\xff") == "+/8=");
  CHECK(crypto.base64Url("\xfb\xff") == "-_8");
  CHECK(crypto.base64Decode("+/8=") == "\xfb\xff");
  CHECK(crypto.base64UrlDecode("-_8") == "\xfb\xff");
  CHECK(crypto.base64UrlDecode("-_8=") == "\xfb\xff");
  CHECK_THROWS_AS(crypto.base64Decode("*"), Error);
}

TEST_CASE("session: made once a scope, until its time is over or it is dropped") {
  testing::FakeHost host;
  const testing::FakeSession fake(host);
  const Session session{Host(host.table())};
  int made = 0;
  const auto make = [&] { return SessionValue{"token-" + std::to_string(++made), 1000}; };
  testing::CallOptions user;
  const auto get = [&](const char* key) { return session.get(Call(host.call(user)), key, make); };

  CHECK(get("token") == "token-1");
  CHECK(get("token") == "token-1");
  CHECK(get("other") == "token-2");
  user.credentials = R"({"user":"b"})";
  CHECK(get("token") == "token-3");
  user.catalog_entry = R"({"auth_url":"https://b.test"})";
  CHECK(get("token") == "token-4");
  CHECK(fake.hits == 1);
  CHECK(fake.misses == 4);

  session.drop(Call(host.call(user)), "token", "token-1");  // an older one
  CHECK(get("token") == "token-4");
  session.drop(Call(host.call(user)), "token", "token-4");
  CHECK(get("token") == "token-5");
  host.mono_ms += 1000;
  CHECK(get("token") == "token-6");
}

TEST_CASE("session: what make throws comes out, and what cannot be kept is still given") {
  testing::FakeHost host;
  const testing::FakeSession fake(host);
  const Session session{Host(host.table())};
  const Call call(host.call({}));
  CHECK_THROWS_WITH_AS(session.get(call, "token", []() -> SessionValue { throw std::runtime_error("no route"); }),
                       "no route", std::runtime_error);
  CHECK(session.get(call, "token", [] { return SessionValue{"short", 0}; }) == "short");
  CHECK(session.get(call, "token", [] { return SessionValue{"next", 1}; }) == "next");
  CHECK_THROWS_AS(session.get(call, "", [] { return SessionValue{"x", 1}; }), Error);
}

TEST_CASE("json for C: the fake reads, walks and quotes") {
  testing::FakeHost host;
  const testing::FakeJson fake(host);
  const auto* json = Host(host.table()).extension<vcp_json_t>(VCP_JSON_ID);
  REQUIRE(json != nullptr);
  const char* document = R"({"s":"a\"b","n":12,"z":null,"l":[true, {"b":1,"a":2}],"x/y":"slash"})";
  std::int32_t type = 0;
  CHECK(jsonGet(json, document, "/s", &type) == "a\"b");
  CHECK(type == VCP_JSON_STRING);
  CHECK(jsonGet(json, document, "/n", &type) == "12");
  CHECK(type == VCP_JSON_NUMBER);
  CHECK(jsonGet(json, document, "/z", &type) == "null");
  CHECK(type == VCP_JSON_NULL);
  CHECK(jsonGet(json, document, "/l", &type) == R"([true,{"b":1,"a":2}])");
  CHECK(type == VCP_JSON_ARRAY);
  CHECK(jsonGet(json, document, "/x~1y", nullptr) == "slash");
  jsonGet(json, document, "/l/2", nullptr, VCP_NOT_FOUND);
  jsonGet(json, document, "/s/0", nullptr, VCP_NOT_FOUND);
  jsonGet(json, document, "s", nullptr, VCP_INVALID_ARGUMENT);
  jsonGet(json, "{", "", nullptr, VCP_INVALID_ARGUMENT);

  std::vector<std::string> seen;
  vcp_json_visitor_t visitor{};
  visitor.struct_size = sizeof visitor;
  visitor.plugin_data = &seen;
  visitor.member = [](const vcp_json_visitor_t* v, vcp_string_t key, std::int32_t member_type,
                      vcp_string_t text) -> std::int32_t {
    auto& into = *static_cast<std::vector<std::string>*>(v->plugin_data);
    into.push_back(std::string(view(key)) + "=" + std::string(view(text)) + ":" + std::to_string(member_type));
    return into.size() < 3 ? VCP_OK : VCP_CANCELLED;
  };
  CHECK(json->each(json, borrow(document), borrow("/l/1"), &visitor) == VCP_OK);
  CHECK(seen == std::vector<std::string>{"b=1:3", "a=2:3"});
  CHECK(json->each(json, borrow(document), borrow("/l"), &visitor) == VCP_CANCELLED);
  CHECK(seen.back() == "=true:2");
  CHECK(json->each(json, borrow(document), borrow("/n"), &visitor) == VCP_INVALID_ARGUMENT);

  detail::TextTaker quoted;
  CHECK(json->quote(json, borrow("a\"\n\xe3\x81\x82"), quoted.sink()) == VCP_OK);
  CHECK(quoted.take() == "\"a\\\"\\n\xe3\x81\x82\"");
  CHECK(json->quote(json, borrow("\xff"), quoted.sink()) == VCP_INVALID_ARGUMENT);
}

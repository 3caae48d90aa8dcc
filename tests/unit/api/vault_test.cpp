// SPDX-License-Identifier: Apache-2.0
#include "api/vault/vault_service.h"

#include <fmt/format.h>

#include "support/secret_rig.h"

using namespace vcc;
using namespace vcc::test;

namespace {

struct VaultRig : SecretRig {
  VaultService service{
      VaultSeams{*store, secrets,
                 [this](const std::string&, const std::string& token_text) { return authenticate(*store, token_text); },
                 clock, random, log, std::string(32, 'c')}};
  std::string mine = token();
  std::string theirs = token();
  std::string reader = token({.role = ApiRole::kReadOnly});

  HttpAnswer ask(const std::string& who, const std::string& method, const std::string& target,
                 const std::string& body = "", const std::string& wrap_ttl = "") {
    HttpHead head;
    head.id = "id";
    head.method = method;
    head.target = target;
    head.vault_token = who;
    head.wrap_ttl = wrap_ttl;
    head.peer = "192.0.2.1";
    Admission admission = service.admit(head);
    return admission.refusal ? *admission.refusal : admission.run(body);
  }
  int status(const std::string& method, const std::string& target, const std::string& body = "") {
    return ask(mine, method, target, body).status;
  }
};

bool has(const HttpAnswer& answer, std::string_view part) { return answer.body.find(part) != std::string::npos; }

constexpr char kDenied[] = R"({"errors":["permission denied"]})";

}  // namespace

TEST_CASE("values are written, read, listed and deleted with Vault's statuses and bodies") {
  VaultRig rig;
  const HttpAnswer written = rig.ask(rig.mine, "POST", "/v1/cubbyhole/aws/access_key", R"({"value":"AKIA","n":5})");
  CHECK(written.status == 204);
  CHECK(written.body.empty());
  CHECK(rig.status("PUT", "/v1/cubbyhole/aws/secret.key", R"({"munge.key":"x"})") == 204);
  const HttpAnswer read = rig.ask(rig.mine, "GET", "/v1/cubbyhole/aws/access_key");
  CHECK(read.status == 200);
  CHECK(has(read, R"("lease_id":"","renewable":false,"lease_duration":0,"data":{"value":"AKIA","n":5},)"
                  R"("wrap_info":null,"warnings":null,"auth":null})"));
  CHECK(rig.status("HEAD", "/v1/cubbyhole/aws/access_key") == 200);
  for (const char* list : {"/v1/cubbyhole/aws/", "/v1/cubbyhole/aws"}) {
    CHECK(has(rig.ask(rig.mine, "LIST", list), R"("data":{"keys":["access_key","secret.key"]})"));
    CHECK(has(rig.ask(rig.mine, "GET", std::string(list) + "?a=b&list=true"), R"("keys":["access_key","secret.key"])"));
    CHECK(has(rig.ask(rig.mine, "GET", std::string(list) + "?list=True"), R"("keys":["access_key","secret.key"])"));
    CHECK(rig.status("GET", std::string(list) + "?list=false") >= 400);
  }
  CHECK(has(rig.ask(rig.mine, "LIST", "/v1/cubbyhole"), R"("keys":["aws/"])"));
  CHECK(rig.status("LIST", "/v1/cubbyhole/aws/access_key") == 404);
  CHECK(rig.status("LIST", "/v1/cubbyhole/empty/") == 404);
  CHECK(rig.status("DELETE", "/v1/cubbyhole/aws/access_key") == 204);
  CHECK(rig.status("DELETE", "/v1/cubbyhole/aws/access_key") == 204);
  const HttpAnswer gone = rig.ask(rig.mine, "GET", "/v1/cubbyhole/aws/access_key");
  CHECK(gone.status == 404);
  CHECK(gone.body == R"({"errors":[]})");
}

TEST_CASE("cubbyholes are apart, secret/ is shared and not a reader's to change") {
  VaultRig rig;
  REQUIRE(rig.status("POST", "/v1/cubbyhole/a", R"({"v":"mine"})") == 204);
  REQUIRE(rig.status("POST", "/v1/secret/a", R"({"v":"all"})") == 204);
  CHECK(rig.ask(rig.theirs, "GET", "/v1/cubbyhole/a").status == 404);
  CHECK(rig.ask(rig.theirs, "LIST", "/v1/cubbyhole").status == 404);
  CHECK(has(rig.ask(rig.theirs, "GET", "/v1/secret/a"), R"("lease_duration":2764800,"data":{"v":"all"})"));
  CHECK(rig.ask(rig.reader, "GET", "/v1/secret/a").status == 200);
  CHECK(rig.ask(rig.reader, "PUT", "/v1/secret/a", R"({"v":"x"})").status == 403);
  CHECK(rig.ask(rig.reader, "DELETE", "/v1/secret/a").status == 403);
}

TEST_CASE("without a good token there is nothing but the state of the server") {
  VaultRig rig;
  for (const char* token : {"", "s.wrong", "s.wrongwrongwrongwrongwrongwr"}) {
    for (const char* path : {"/v1/cubbyhole/a", "/v1/secret/a", "/v1/auth/token/lookup-self", "/v1/cubbyhole?help=1",
                             "/v1/sys/mounts", "/v1/nothing"}) {
      const HttpAnswer answer = rig.ask(token, "GET", path);
      CHECK(answer.status == 403);
      CHECK(answer.body == kDenied);
    }
    CHECK(has(rig.ask(token, "GET", "/v1/sys/health?standbyok=true"), R"("initialized":true,"sealed":false)"));
    CHECK(rig.ask(token, "HEAD", "/v1/sys/health").status == 200);
    CHECK(rig.ask(token, "GET", "/v1/sys/init").body == R"({"initialized":true})");
    CHECK(has(rig.ask(token, "GET", "/v1/sys/seal-status"), R"("sealed":false)"));
  }
}

TEST_CASE("a token looks itself up") {
  VaultRig rig;
  const HttpAnswer self = rig.ask(rig.mine, "GET", "/v1/auth/token/lookup-self");
  CHECK(self.status == 200);
  CHECK(has(self, "\"id\":\"" + rig.mine + "\""));
  CHECK(has(self, R"("creation_ttl":315360000)"));
  CHECK(has(self, R"("meta":{"user":"nobody","api_role":"fullaccess"})"));
  CHECK(has(self, R"("ttl":315360000,"type":"service")"));
  CHECK(has(rig.ask(rig.reader, "GET", "/v1/auth/token/lookup-self"), R"("api_role":"readonly")"));
}

TEST_CASE("what the policy of user tokens denies is denied") {
  VaultRig rig;
  REQUIRE(rig.status("POST", "/v1/cubbyhole/a", R"({"v":"mine"})") == 204);
  for (const char* path :
       {"/v1/auth/token/renew-self", "/v1/auth/token/revoke-self", "/v1/auth/token/create", "/v1/sys/capabilities-self",
        "/v1/sys/leases/renew", "/v1/sys/wrapping/wrap", "/v1/sys/seal"}) {
    const HttpAnswer answer = rig.ask(rig.mine, "POST", path, "{}");
    CHECK(answer.status == 403);
    CHECK(answer.body == kDenied);
  }
  CHECK(rig.ask(rig.mine, "GET", "/v1/cubbyhole/a", "", "60").body == kDenied);
  CHECK(rig.status("PUT", "/v1/sys/leases/lookup", R"({"lease_id":"x"})") == 400);
  CHECK(authenticate(*rig.store, rig.mine).ok());
}

TEST_CASE("what the listener refuses is worded as Vault words it") {
  VaultRig rig;
  CHECK(rig.service.refuse(HttpRefusal::kBodyTooLarge, "too long").status == 413);
  CHECK(rig.service.refuse(HttpRefusal::kTimeout, "late").body == R"({"errors":["late"]})");
  CHECK(rig.service.refuse(invalidArgument("bad head"), "id").body == R"({"errors":["bad head"]})");
}

TEST_CASE("help is there for GET and HEAD") {
  VaultRig rig;
  const HttpAnswer help = rig.ask(rig.mine, "GET", "/v1/cubbyhole?help=1");
  CHECK(help.status == 200);
  CHECK(help.body.starts_with(R"({"help":")"));
  CHECK(help.body.ends_with(R"("see_also":null})"));
  CHECK(rig.status("HEAD", "/v1/secret/a/b?help=1") == 200);
}

TEST_CASE("bad paths, bodies and methods get 4xx") {
  VaultRig rig;
  for (const std::string& path :
       {std::string("/"), std::string("/v1"), std::string("/v2/cubbyhole/a"), std::string("/v1/cubbyhole/../secret/a"),
        std::string("/v1/cubbyhole/%2e%2e/a"), std::string("/v1/cubbyhole/a%2fb"), std::string("/v1/cubbyhole/a%00b"),
        std::string("/v1/cubbyhole//a"), std::string("/v1/cubbyhole/a/"), std::string("/v1/cubbyhole/%ff"),
        std::string("/v1/cubbyhole/%0a"), std::string("/v1/cubbyhole"), "/v1/cubbyhole/" + std::string(65536, 'a')}) {
    for (const char* method : {"GET", "POST", "DELETE", "LIST"}) {
      const int status = rig.status(method, path, R"({"v":"x"})");
      CHECK_MESSAGE((status >= 400 && status < 500), fmt::format("{} {} {}", method, path.substr(0, 40), status));
    }
  }
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("[]"), std::string("1"), std::string("\"x\""),
        std::string("null"), std::string("{\"a\":"), std::string("{\"a\":1}{\"b\":2}"), std::string("a=b"),
        std::string("{\"a\":\"\xff\"}"), "{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}"}) {
    CHECK_MESSAGE(rig.status("POST", "/v1/cubbyhole/a", body) == 400, body.substr(0, 40));
  }
  CHECK(rig.status("POST", "/v1/cubbyhole/a", "{\"a\":\"" + std::string(1 << 20, 'x') + "\"}") == 413);
  CHECK(rig.status("PATCH", "/v1/cubbyhole/a", "{}") == 405);
  CHECK(rig.status("GET", "/v1/cubbyhole/a") == 404);
  CHECK(rig.status("POST", "/v1/cubbyhole/%E3%81%82%20b", R"({"v":"x"})") == 204);
  CHECK(has(rig.ask(rig.mine, "LIST", "/v1/cubbyhole"), "あ b"));
}

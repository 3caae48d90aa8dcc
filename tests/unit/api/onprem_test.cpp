// SPDX-License-Identifier: Apache-2.0
// Existing servers over the admin socket.
#include "api_rig.h"
#include "support/text.h"

using namespace vcc;
using namespace vcc::test;

namespace {

constexpr char kServer[] = R"({"host": "192.168.5.1"})";

}  // namespace

TEST_CASE("a look at an existing server is told as findings") {
  ApiRig rig;
  rig.registry.serve("onpremises");
  rig.host.lacking = {HostStep::kDocker};
  const HttpAnswer answer = rig.administer("POST", "/onprem/check", kServer);
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  CHECK(contains(answer.body, R"("host":"192.168.5.1","host_key":"ssh-ed25519 KEY","ready":false)"));
  CHECK(contains(answer.body,
                 R"({"name":"docker","level":"missing","text":"there is no docker","commands":["sudo apt-get)"));
  CHECK(rig.host.last_target.user == "ubuntu");
  CHECK(rig.administer("POST", "/onprem/check", R"({"host": "192.168.5.1", "user": "admin"})").status == 200);
  CHECK(rig.host.last_target.user == "admin");
}

TEST_CASE("a preparation is asked for until it has ended") {
  ApiRig rig;
  rig.registry.serve("onpremises");
  rig.host.lacking = {HostStep::kDocker};
  const HttpAnswer begun = rig.administer("POST", "/onprem/prepare", kServer);
  REQUIRE_MESSAGE(begun.status == 200, begun.body);
  CHECK(contains(begun.body, R"("state":"running")"));
  CHECK(contains(begun.body, R"("step":"moving sshd off port 22")"));
  const std::string job = begun.body.substr(begun.body.find(R"("job":")") + 7, 32);
  const HttpAnswer ended =
      rig.administer("POST", "/onprem/prepare",
                     fmt::format(R"({{"host": "192.168.5.1", "host_key": "ssh-ed25519 KEY", "job": "{}"}})", job));
  REQUIRE_MESSAGE(ended.status == 200, ended.body);
  CHECK(contains(ended.body, R"("state":"done")"));
}

TEST_CASE("questions about existing servers that are refused") {
  ApiRig rig;
  CHECK(rig.administer("POST", "/onprem/check", kServer).status == 503);  // no driver
  rig.registry.serve("onpremises");
  const std::string long_key = fmt::format(R"({{"host": "192.168.5.1", "host_key": "{}"}})", std::string(2000, 'a'));
  for (const char* path : {"/onprem/check", "/onprem/prepare"}) {
    for (const std::string& body : {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"host": 1})"),
                                    std::string(R"({"host": "192.168.5.300"})"), std::string(R"({"host": "a; id"})"),
                                    std::string(R"({"host": "192.168.5.1", "user": "a b"})"), long_key}) {
      CAPTURE(body);
      CHECK(rig.administer("POST", path, body).status == 400);
    }
  }
  CHECK(rig.host.calls.empty());
  rig.host.facts.may_sudo = false;
  CHECK(rig.administer("POST", "/onprem/prepare", kServer).status == 409);
}

// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <string>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_host.h"

using namespace vcp::plugin;
using testing::FakeHost;
using testing::OpenDriver;

namespace {

std::string params(const std::string& addresses, const std::string& more = "") {
  return R"({"ip_address_list":)" + addresses + more + "}";
}

struct Fixture {
  FakeHost host;
  OpenDriver driver{vcp_plugin_v0, host, R"({"instance":"onpremises","evaluation":false,"options":{}})"};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "validate: good documents") {
  CHECK(driver.validate(params(R"(["192.0.2.1","192.0.2.2"])"), "{}").empty());
  CHECK(driver.validate(params(R"(["10.0.0.1"])", R"(,"user_name":null,"network_if":null,"cloud_image":null)"), "{}")
            .empty());
  CHECK(driver
            .validate(params(R"(["10.0.0.1"])",
                             R"(,"user_name":"vcp.admin-1","network_if":"eth0.10","cloud_image":"default")"),
                      "{}")
            .empty());
}

TEST_CASE_FIXTURE(Fixture, "validate: each bad value is named by its pointer") {
  const auto starts = [&](const std::string& document, const std::string& pointer) {
    const std::string text = driver.validate(document, "{}");
    CAPTURE(document);
    CAPTURE(text);
    CHECK(text.rfind(pointer + ": ", 0) == 0);
  };
  const std::string list = "/cloud_params/ip_address_list";
  starts("{}", list);
  starts(params("null"), list);
  starts(params("[]"), list);
  starts(params(R"("192.0.2.1")"), list);
  starts(params(R"(["192.0.2.1","192.0.2.1"])"), list + "/1");
  starts(params(R"(["192.0.2.1",null])"), list + "/1");
  for (const char* bad : {"host", "", "192.0.2", "192.0.2.256", "1.2.3.4 ", "127.0.0.1", "169.254.1.1", "224.0.0.1",
                          "0.0.0.0", "255.255.255.255", "::1"}) {
    starts(params("[\"" + std::string(bad) + "\"]"), list + "/0");
  }
  for (const char* bad : {"-oProxyCommand=x", "a b", "", "x;y", "abcdefghijklmnopqrstuvwxyz0123456789"}) {
    starts(params(R"(["192.0.2.1"])", ",\"user_name\":\"" + std::string(bad) + "\""), "/cloud_params/user_name");
  }
  starts(params(R"(["192.0.2.1"])", R"(,"user_name":["x"])"), "/cloud_params/user_name");
  starts(params(R"(["192.0.2.1"])", R"(,"network_if":"eth0/../x")"), "/cloud_params/network_if");
  starts(params(R"(["192.0.2.1"])", R"(,"cloud_image":"ubuntu")"), "/cloud_params/cloud_image");
  CHECK_FALSE(driver.validate("[]", "{}").empty());
}

TEST_CASE("validate: loopback is allowed in evaluation only") {
  FakeHost host;
  const OpenDriver driver(vcp_plugin_v0, host, R"({"evaluation":true})");
  CHECK(driver.validate(params(R"(["127.0.0.2","127.0.0.3"])"), "{}").empty());
}

TEST_CASE_FIXTURE(Fixture, "create, observe, destroy: the address is the machine") {
  Items items(3);
  items[0].requested_address = "192.0.2.1";
  items[1].index = 1;
  items[2].index = 2;
  items[2].requested_address = "127.0.0.1";
  const auto made = driver.create(host.call({}), "{}", items);
  CHECK(made.code == VCP_OK);
  CHECK(made.items.at(0).done == 1);
  CHECK(made.items.at(0).cloud_id == "192.0.2.1");
  CHECK(made.items.at(0).address == "192.0.2.1");
  CHECK(made.items.at(1).error.code == VCP_INVALID_ARGUMENT);
  CHECK(made.items.at(1).error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(std::string(made.items.at(1).error.message).rfind("/cloud_params/ip_address_list: ", 0) == 0);
  CHECK(made.items.at(2).error.code == VCP_INVALID_ARGUMENT);

  const auto seen = driver.observe(host.call({}), items);
  CHECK(seen.machines.at(0).found);
  CHECK(seen.machines.at(0).state == State::kRunning);
  CHECK(seen.machines.at(0).address == "192.0.2.1");
  const auto gone = driver.destroy(host.call({}), items);
  CHECK(gone.items.at(0).done == 1);
  CHECK(gone.items.at(2).done == 1);
}

TEST_CASE_FIXTURE(Fixture, "descriptor: existing servers are asserted and have no power switch") {
  CHECK(vcp_plugin_v0.info->existence == VCP_EXISTENCE_ASSERTED);
  CHECK(vcp_plugin_v0.info->capabilities == 0);
  CHECK((driver.ops().power == nullptr));
}

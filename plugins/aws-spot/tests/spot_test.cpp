// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "../../aws/tests/rig.h"

using namespace ec2_test;

namespace {

std::string spec(const std::string& more) {
  Json json = Json::parse(kSpec);
  json["cloud_params"].update(Json::parse(more));
  return json.dump();
}

std::string requestXml(const std::string& id, const std::string& state, const std::string& instance = "i-0001",
                       const std::string& name = "vcp-a-0") {
  return "<item><spotInstanceRequestId>" + id + "</spotInstanceRequestId><state>" + state + "</state><instanceId>" +
         instance + "</instanceId><tagSet><item><key>vcp:name</key><value>" + name + "</value></item></tagSet></item>";
}

std::string requestsXml(const std::string& items) {
  return "<R><spotInstanceRequestSet>" + items + "</spotInstanceRequestSet></R>";
}

constexpr char kBehind[] = "<spotInstanceRequestId>sir-01</spotInstanceRequestId>";

Items known() {
  Items one = items(1);
  one[0].cloud_id = "i-0001";
  one[0].resources = {{"spot-request", "vcp-a-0", "sir-01"}};
  return one;
}

}  // namespace

TEST_CASE("spot: no power switch, disks as aws has them") {
  CHECK((vcp_plugin_v0.info->capabilities & VCP_CAP_POWER) == 0);
  CHECK((vcp_plugin_v0.info->capabilities & VCP_CAP_LIST) != 0);
  const Rig rig;
  CHECK(rig.driver.extension<vcp_disk_ops_t>(VCP_DISK_ID) != nullptr);
}

TEST_CASE("spot: validate") {
  Rig rig;
  const std::string keys = R"("access_key":"a","secret_key":"b","instance_type":"m5.large")";
  const auto text = [&](const std::string& more) { return rig.driver.validate("{" + keys + more + "}", kEntry); };
  CHECK(text("").empty());
  CHECK(text(R"(,"spot_type":"one-time","spot_price":"","block_duration_minutes":"0")").empty());
  CHECK(text(R"(,"spot_type":"persistent","spot_price":"0.15")").empty());
  CHECK(text(R"(,"spot_type":"forever")").rfind("/cloud_params/spot_type: ", 0) == 0);
  for (const char* price : {"free", "-1", "0", "0.0", "1.2.3", "."}) {
    CAPTURE(price);
    CHECK(text(std::string(R"(,"spot_price":")") + price + "\"").rfind("/cloud_params/spot_price: ", 0) == 0);
  }
  CHECK(text(R"(,"block_duration_minutes":"60")").rfind("/cloud_params/block_duration_minutes: ", 0) == 0);
}

TEST_CASE("spot: one-time and persistent requests, one for each machine") {
  Rig rig;
  for (int i = 0; i < 2; ++i) rig.http.reply(200, launchedXml({{"i-0001", "pending", 0, "vcp-a-0", "op", kBehind}}));
  const Answers made =
      rig.driver.create(rig.call(), spec(R"({"spot_type":"persistent","spot_price":"0.15"})"), items(2, kImageState));
  REQUIRE(rig.http.requests.size() == 2);
  auto form = rig.form(0);
  CHECK(form["MaxCount"] == "1");
  CHECK(form["ClientToken"] == "op-0");
  CHECK(rig.form(1)["ClientToken"] == "op-1");
  CHECK(form["InstanceMarketOptions.MarketType"] == "spot");
  CHECK(form["InstanceMarketOptions.SpotOptions.SpotInstanceType"] == "persistent");
  CHECK(form["InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior"] == "stop");
  CHECK(form["InstanceMarketOptions.SpotOptions.MaxPrice"] == "0.15");
  CHECK(form["TagSpecification.4.ResourceType"] == "spot-instances-request");
  CHECK(made.items.at(0).done == 1);
  REQUIRE(made.items.at(0).resources.size() == 1);
  CHECK(made.items.at(0).resources[0].kind == "spot-request");
  CHECK(made.items.at(0).resources[0].id == "sir-01");

  rig.http.reply(200, launchedXml({{"i-0001", "pending", 0, "vcp-a-0", "op", kBehind}}));
  rig.driver.create(rig.call(), spec("{}"), items(1, kImageState));
  auto plain = rig.form(2);
  CHECK(plain["InstanceMarketOptions.SpotOptions.SpotInstanceType"] == "one-time");
  CHECK(plain["InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior"] == "terminate");
  CHECK(plain.count("InstanceMarketOptions.SpotOptions.MaxPrice") == 0);

  rig.http.reply(400, errorXml("SpotMaxPriceTooLow"));
  CHECK(rig.driver.create(rig.call(), spec("{}"), items(1, kImageState)).items.at(0).error.code ==
        VCP_RESOURCE_EXHAUSTED);
}

TEST_CASE("spot: a running machine costs one question, and names its request") {
  Rig rig;
  rig.http.reply(200, instancesXml({{"i-0001", "running", 0, "vcp-a-0", "op", kBehind}}));
  const Observation seen = rig.driver.observe(rig.call(), known()).machines.at(0);
  CHECK(rig.http.requests.size() == 1);
  CHECK(seen.state == State::kRunning);
  REQUIRE(seen.resources.size() == 1);
  CHECK(seen.resources[0].id == "sir-01");
}

TEST_CASE("spot: interruptions are shown as such") {
  const auto look = [](const std::string& state, const std::string& reason, const std::string& request) {
    Rig rig;
    const std::string more = kBehind + std::string("<stateReason><code>") + reason + "</code></stateReason>";
    rig.http.reply(200, instancesXml({{"i-0001", state, 0, "vcp-a-0", "op", more}}));
    for (int i = 0; i < 2; ++i) rig.http.reply(200, requestsXml(requestXml("sir-01", request)));
    return rig.driver.observe(rig.call(), known()).machines.at(0);
  };
  const Observation ended = look("terminated", "Server.SpotInstanceTermination", "closed");
  CHECK(ended.state == State::kGone);
  CHECK(ended.reason == Reason::kInterrupted);
  const Observation paused = look("stopped", "Server.SpotInstanceShutdown", "active");
  CHECK(paused.state == State::kStopped);
  CHECK(paused.reason == Reason::kInterrupted);
}

TEST_CASE("spot: what a living request can bring back is not gone") {
  Rig rig;
  rig.http.reply(200, instancesXml({{"i-0001", "terminated", 0, "vcp-a-0", "op", kBehind}}));
  rig.http.reply(200, requestsXml(requestXml("sir-01", "open", "")));
  rig.http.reply(200, requestsXml(requestXml("sir-01", "open", "")));
  const Observation seen = rig.driver.observe(rig.call(), known()).machines.at(0);
  CHECK(seen.found);
  CHECK(seen.state == State::kTerminating);
  REQUIRE(seen.resources.size() == 1);

  rig.http.reply(200, instancesXml({}));
  rig.http.reply(200, requestsXml(requestXml("sir-01", "open", "")));
  const Observation lost = rig.driver.observe(rig.call(), items(1)).machines.at(0);
  CHECK(lost.found);
  CHECK(lost.state == State::kProvisioning);

  rig.http.reply(200, instancesXml({}));
  rig.http.reply(200, requestsXml(requestXml("sir-01", "cancelled", "")));
  CHECK_FALSE(rig.driver.observe(rig.call(), items(1)).machines.at(0).found);
}

TEST_CASE("spot: a request that cannot be read proves nothing") {
  Rig rig;
  rig.http.reply(200, instancesXml({}));
  rig.http.reply(403, errorXml("UnauthorizedOperation"));
  const Seen seen = rig.driver.observe(rig.call(), items(1));
  CHECK(seen.code == VCP_PERMISSION_DENIED);
  CHECK(seen.machines.empty());
}

TEST_CASE("spot: the request is cancelled first, then all that it brought is terminated") {
  Rig rig;
  rig.http.reply(200, instancesXml({{"i-0001", "running", 0, "vcp-a-0", "op", kBehind}}));
  for (int i = 0; i < 2; ++i) rig.http.reply(200, requestsXml(requestXml("sir-01", "active", "i-0002")));
  rig.http.reply(200, instancesXml({{"i-0002", "running", 0}}));
  rig.http.reply(200, "<R/>");
  const auto first = rig.driver.destroy(rig.call(), known()).items.at(0);
  CHECK(first.pending == 1);
  CHECK(rig.actions().back() == "CancelSpotInstanceRequests");
  CHECK(rig.form(4)["SpotInstanceRequestId.1"] == "sir-01");

  rig.http.reply(200, instancesXml({{"i-0001", "running", 0, "vcp-a-0", "op", kBehind}}));
  for (int i = 0; i < 2; ++i) rig.http.reply(200, requestsXml(requestXml("sir-01", "cancelled", "i-0002")));
  rig.http.reply(200, instancesXml({{"i-0002", "running", 0}}));
  rig.http.reply(200, "<R/>");
  CHECK(rig.driver.destroy(rig.call(), known()).items.at(0).done == 1);
  CHECK(rig.actions().back() == "TerminateInstances");
  CHECK(rig.form(9)["InstanceId.1"] == "i-0001");
  CHECK(rig.form(9)["InstanceId.2"] == "i-0002");
}

TEST_CASE("spot: a list has requests that wait for capacity, too") {
  Rig rig;
  rig.http.reply(200, instancesXml({{"i-0001", "running", 0, "vcp-a-0", "op", kBehind}}));
  rig.http.reply(200, requestsXml(requestXml("sir-01", "active") + requestXml("sir-02", "open", "", "vcp-a-9")));
  const Seen seen = rig.driver.list(rig.call());
  CHECK(seen.complete);
  CHECK(rig.form(0)["Filter.1.Value.1"] == "aws_spot");
  REQUIRE(seen.machines.size() == 2);
  CHECK(seen.machines.at(1).name == "vcp-a-9");
  CHECK(seen.machines.at(1).state == State::kProvisioning);
  rig.http.reply(200, instancesXml({}));
  rig.http.reply(500, "");
  CHECK_FALSE(rig.driver.list(rig.call()).complete);
}

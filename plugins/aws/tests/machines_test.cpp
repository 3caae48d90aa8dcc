// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

using namespace ec2_test;

TEST_CASE("create: the image is looked up, frozen, and then used") {
  Rig rig;
  Items one = items(1);
  rig.http.reply(200, imagesXml());
  Answers first = rig.driver.create(rig.call(), kSpec, one);
  CHECK(first.items.at(0).pending == 1);
  CHECK(first.items.at(0).driver_state == kImageState);
  CHECK(rig.actions() == std::vector<std::string>{"DescribeImages"});
  CHECK(rig.form(0)["Owner.1"] == "099720109477");
  CHECK(rig.form(0)["Filter.1.Value.1"] == "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*");

  one[0].driver_state = kImageState;
  rig.http.reply(200, launchedXml({{"i-0001", "pending", 0, "vcp-a-0"}}));
  const Answers second = rig.driver.create(rig.call(), kSpec, one);
  CHECK(second.items.at(0).done == 1);
  CHECK(second.items.at(0).cloud_id == "i-0001");
  CHECK(second.items.at(0).address == "10.0.0.9");
  auto form = rig.form(1);
  CHECK(form["Action"] == "RunInstances");
  CHECK(form["Version"] == "2016-11-15");
  CHECK(form["ImageId"] == "ami-00000001");
  CHECK(form["MinCount"] == "1");
  CHECK(form["MaxCount"] == "1");
  CHECK(form["ClientToken"] == "op-0");
  CHECK(form["InstanceType"] == "m5.large");
  CHECK(form["SubnetId"] == "subnet-0a1b");
  CHECK(form["SecurityGroupId.1"] == "sg-0a1b");
  CHECK(form["BlockDeviceMapping.1.DeviceName"] == "/dev/sda1");
  CHECK(form["BlockDeviceMapping.1.Ebs.VolumeSize"] == "16");
  CHECK(form["BlockDeviceMapping.1.Ebs.VolumeType"] == "gp2");
  CHECK(form["BlockDeviceMapping.1.Ebs.DeleteOnTermination"] == "true");
  CHECK(form["MetadataOptions.HttpTokens"] == "required");
  CHECK(form["UserData"] == "I2Nsb3VkLWNvbmZpZwo=");
  CHECK(form["TagSpecification.1.ResourceType"] == "instance");
  CHECK(form.count("PrivateIpAddress") == 0);
  CHECK(form.count("InstanceMarketOptions.MarketType") == 0);
  std::map<std::string, std::string> tags;
  for (int i = 1; i <= 6; ++i) {
    const std::string tag = "TagSpecification.1.Tag." + std::to_string(i);
    tags[form[tag + ".Key"]] = form[tag + ".Value"];
  }
  CHECK(tags == std::map<std::string, std::string>{{"project", "demo"},
                                                   {"vcp:vcc", "vcc1"},
                                                   {"vcp:provider", "aws"},
                                                   {"vcp:op", "op"},
                                                   {"vcp:name", "vcp-a-0"},
                                                   {"Name", "group-unit-1"}});
}

TEST_CASE("create: requests are signed, for the account and region, and carry a session token") {
  Rig rig;
  rig.host.wall_ms = 1'440'938'160'000;
  rig.http.reply(200, imagesXml());
  rig.driver.create(rig.call(kEntry, R"({"access_key":"AKIDEXAMPLE","secret_key":"s","session_token":"tok"})"), kSpec,
                    items(1));
  const HttpRequest& request = rig.http.requests.at(0);
  CHECK(request.method == "POST");
  CHECK(request.url == "https://ec2.ap-northeast-1.amazonaws.com/");
  CHECK(request.account == "AKIDEXAMPLE@ap-northeast-1");
  std::map<std::string, std::string> headers(request.headers.begin(), request.headers.end());
  CHECK(headers.count("Host") == 0);
  CHECK(headers["X-Amz-Date"] == "20150830T123600Z");
  CHECK(headers["X-Amz-Security-Token"] == "tok");
  CHECK(headers["Authorization"].rfind(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/ap-northeast-1/ec2/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=",
            0) == 0);
}

TEST_CASE("create: images by id, by name of the account and of owners, and as the entry says") {
  const auto asked = [](const std::string& image, const std::string& more, const std::string& type = "m5.large") {
    Rig rig;
    Json spec = Json::parse(kSpec);
    spec["cloud_params"]["cloud_image"] = image;
    spec["cloud_params"]["instance_type"] = type;
    Json entry = Json::parse(kEntry);
    entry.update(Json::parse(more));
    rig.http.reply(200, imagesXml());
    rig.driver.create(rig.call(entry.dump()), spec.dump(), items(1));
    return rig.form(0);
  };
  CHECK(asked("ami-42", "{}")["ImageId.1"] == "ami-42");
  auto named = asked("niivcp", R"({"aws_image_owners":["123456789012"]})");
  CHECK(named["Owner.1"] == "self");
  CHECK(named["Owner.2"] == "123456789012");
  CHECK(named["Filter.1.Name"] == "name");
  CHECK(named["Filter.1.Value.1"] == "niivcp");
  CHECK(asked("niivcp", "{}").count("Owner.2") == 0);
  CHECK(asked("default", R"({"aws_default_image":"ami-7"})")["ImageId.1"] == "ami-7");
  CHECK(asked("default", R"({"aws_default_image":"base"})")["Filter.1.Value.1"] == "base");
  for (const char* type : {"m7g.large", "c6gn.xlarge", "a1.medium", "t4g.micro"}) {
    CAPTURE(type);
    CHECK(asked("default", "{}", type)["Filter.1.Value.1"].find("-arm64-server-") != std::string::npos);
  }
  CHECK(asked("default", "{}", "g5.xlarge")["Filter.1.Value.1"].find("-amd64-server-") != std::string::npos);
}

TEST_CASE("create: the newest of a name is taken; none is the user's mistake") {
  Rig rig;
  rig.http.reply(
      200,
      "<R><imagesSet><item><imageId>ami-1</imageId><creationDate>2025</creationDate></item><item><imageId>ami-2"
      "</imageId><creationDate>2026</creationDate></item></imagesSet></R>");
  CHECK(rig.driver.create(rig.call(), kSpec, items(1)).items.at(0).driver_state == "1 ami-2 ");
  rig.http.reply(200, "<R><imagesSet/></R>");
  const Answers none = rig.driver.create(rig.call(), kSpec, items(1));
  CHECK(none.code == VCP_INVALID_ARGUMENT);
  CHECK(text(none.error).rfind("/cloud_params/cloud_image: ", 0) == 0);
  rig.http.reply(400, errorXml("InvalidAMIID.NotFound"));
  CHECK(rig.driver.create(rig.call(), kSpec, items(1)).code == VCP_INVALID_ARGUMENT);
  rig.http.reply(403, errorXml("UnauthorizedOperation"));
  const Answers denied = rig.driver.create(rig.call(), kSpec, items(1));
  CHECK(denied.code == VCP_PERMISSION_DENIED);
  CHECK(denied.error.outcome == VCP_OUTCOME_NOT_APPLIED);
  rig.http.fail(Code::kUnavailable, Outcome::kUnknown);  // of a read
  CHECK(rig.driver.create(rig.call(), kSpec, items(1)).error.outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE("create: without addresses one request makes a whole op, then each instance gets its name") {
  Rig rig;
  Items three = items(3, kImageState);
  rig.http.reply(200, launchedXml({{"i-0c", "pending", 2}, {"i-0a", "pending", 0}, {"i-0b", "pending", 1}}));
  const Answers made = rig.driver.create(rig.call(), kSpec, three);
  CHECK(rig.http.requests.size() == 1);
  CHECK(rig.form(0)["MinCount"] == "3");
  CHECK(rig.form(0)["MaxCount"] == "3");
  CHECK(rig.form(0)["ClientToken"] == "op");
  CHECK(rig.http.requests[0].body.find("vcp%3Aname") == std::string::npos);
  const char* const ids[] = {"i-0a", "i-0b", "i-0c"};
  for (int i = 0; i < 3; ++i) {
    CHECK(made.items.at(i).pending == 1);
    CHECK(made.items.at(i).cloud_id == ids[i]);
    three[static_cast<std::size_t>(i)].cloud_id = ids[i];
  }
  rig.http.reply(200, "<CreateTagsResponse/>");
  rig.http.reply(400, errorXml("InvalidInstanceID.NotFound"));
  rig.http.reply(503, errorXml("RequestLimitExceeded"));
  const Answers named = rig.driver.create(rig.call(), kSpec, three);
  CHECK(rig.form(1)["Action"] == "CreateTags");
  CHECK(rig.form(1)["ResourceId.1"] == "i-0a");
  CHECK(rig.form(1)["Tag.2.Key"] == "vcp:name");
  CHECK(rig.form(1)["Tag.2.Value"] == "vcp-a-0");
  CHECK(named.items.at(0).done == 1);
  CHECK(named.items.at(1).pending == 1);
  CHECK(named.items.at(2).error.code == VCP_UNAVAILABLE);
  CHECK(named.items.at(2).error.outcome == VCP_OUTCOME_NOT_APPLIED);
}

TEST_CASE("create: an answer that lacks an instance leaves that item in doubt") {
  Rig rig;
  rig.http.reply(200, launchedXml({{"i-0a", "pending", 0}}));
  const Answers made = rig.driver.create(rig.call(), kSpec, items(2, kImageState));
  CHECK(made.items.at(0).pending == 1);
  CHECK(made.items.at(1).error.outcome == VCP_OUTCOME_APPLIED);
}

TEST_CASE("create: fixed addresses take a request each, and one refusal leaves the others") {
  Rig rig;
  Items two = items(2, kImageState);
  two[0].requested_address = "10.0.0.5";
  two[1].requested_address = "10.0.0.6";
  rig.http.reply(400, errorXml("InvalidIPAddress.InUse"));
  rig.http.reply(200, launchedXml({{"i-0b", "pending", 0, "vcp-a-1"}}));
  const Answers made = rig.driver.create(rig.call(), kSpec, two);
  CHECK(rig.form(0)["PrivateIpAddress"] == "10.0.0.5");
  CHECK(rig.form(0)["ClientToken"] == "op-0");
  CHECK(rig.form(1)["ClientToken"] == "op-1");
  CHECK(rig.form(1)["MaxCount"] == "1");
  CHECK(made.items.at(0).error.code == VCP_ALREADY_EXISTS);
  CHECK(made.items.at(0).error.outcome == VCP_OUTCOME_NOT_APPLIED);
  CHECK(made.items.at(1).done == 1);
  CHECK(made.items.at(1).cloud_id == "i-0b");
}

TEST_CASE("create: a repeat sends the same bytes") {
  Rig rig;
  for (int i = 0; i < 2; ++i) {
    rig.http.fail(Code::kUnavailable, Outcome::kUnknown);
    CHECK(rig.driver.create(rig.call(), kSpec, items(2, kImageState)).error.outcome == VCP_OUTCOME_UNKNOWN);
  }
  CHECK(rig.http.requests.at(0).body == rig.http.requests.at(1).body);
}

TEST_CASE("create: what refuses a batch refuses all of it") {
  struct Row {
    int status;
    std::string body;
    int code;
    int outcome;
  };
  const Row rows[] = {{500, errorXml("InsufficientInstanceCapacity"), VCP_RESOURCE_EXHAUSTED, VCP_OUTCOME_NOT_APPLIED},
                      {400, errorXml("VcpuLimitExceeded"), VCP_RESOURCE_EXHAUSTED, VCP_OUTCOME_NOT_APPLIED},
                      {500, "<html>oops</html>", VCP_UNAVAILABLE, VCP_OUTCOME_UNKNOWN},
                      {200, "<html>log in</html>", VCP_UNAVAILABLE, VCP_OUTCOME_UNKNOWN},
                      {400, errorXml("IdempotentParameterMismatch"), VCP_ALREADY_EXISTS, VCP_OUTCOME_APPLIED}};
  for (const Row& row : rows) {
    CAPTURE(row.body);
    Rig rig;
    rig.http.reply(row.status, row.body);
    const Answers made = rig.driver.create(rig.call(), kSpec, items(2, kImageState));
    CHECK(made.code == row.code);
    CHECK(made.error.outcome == row.outcome);
    CHECK(made.items.empty());
  }
}

TEST_CASE("create: io1 has a rate, a security group list is sent whole, a zone is named, user data is bounded") {
  Rig rig;
  Json spec = Json::parse(kSpec);
  spec["cloud_params"]["volume_type"] = "io1";
  Json entry = Json::parse(kEntry);
  entry["aws_vpc_security_group_id"] = {"sg-1", "sg-2"};
  entry["aws_availability_zone"] = "ap-northeast-1a";
  rig.http.reply(200, launchedXml({{"i-0a", "pending", 0}}));
  rig.driver.create(rig.call(entry.dump()), spec.dump(), items(1, kImageState));
  CHECK(rig.form(0)["BlockDeviceMapping.1.Ebs.Iops"] == "100");
  CHECK(rig.form(0)["SecurityGroupId.2"] == "sg-2");
  CHECK(rig.form(0)["Placement.AvailabilityZone"] == "ap-northeast-1a");
  spec["access"]["user_data"] = std::string(16385, 'x');
  CHECK(rig.driver.create(rig.call(), spec.dump(), items(1, kImageState)).code == VCP_INVALID_ARGUMENT);
  CHECK(rig.http.requests.size() == 1);
}

TEST_CASE("observe: states, reasons and addresses") {
  struct Row {
    const char* state;
    const char* reason;
    State seen;
    Reason why;
  };
  const Row rows[] = {{"pending", "pending", State::kProvisioning, Reason::kUnknown},
                      {"running", "", State::kRunning, Reason::kUnknown},
                      {"stopping", "Client.UserInitiatedShutdown", State::kStopping, Reason::kRequested},
                      {"stopped", "Client.InstanceInitiatedShutdown", State::kStopped, Reason::kRequested},
                      {"stopped", "Server.SpotInstanceShutdown", State::kStopped, Reason::kInterrupted},
                      {"stopped", "Server.ScheduledStop", State::kStopped, Reason::kHostFailure},
                      {"shutting-down", "Client.UserInitiatedShutdown", State::kTerminating, Reason::kRequested},
                      {"terminated", "Server.SpotInstanceTermination", State::kGone, Reason::kInterrupted},
                      {"terminated", "Server.InternalError", State::kGone, Reason::kHostFailure},
                      {"terminated", "Client.VolumeLimitExceeded", State::kGone, Reason::kUnknown},
                      {"odd", "", State::kUnspecified, Reason::kUnknown}};
  for (const Row& row : rows) {
    CAPTURE(row.state);
    CAPTURE(row.reason);
    Rig rig;
    Shown one{"i-0001", row.state, 0, "vcp-a-0"};
    if (*row.reason != 0) one.more = std::string("<stateReason><code>") + row.reason + "</code></stateReason>";
    rig.http.reply(200, instancesXml({one}));
    Items known = items(1);
    known[0].cloud_id = "i-0001";
    const Observation seen = rig.driver.observe(rig.call(), known).machines.at(0);
    CHECK(seen.found);
    CHECK(seen.state == row.seen);
    CHECK(seen.reason == row.why);
    CHECK(seen.name == "vcp-a-0");
    CHECK(seen.address == "10.0.0.9");
    CHECK(rig.form(0)["InstanceId.1"] == "i-0001");
    CHECK(rig.form(0).count("MaxResults") == 0);
  }
}

TEST_CASE("observe: ids that do not exist are a proof, and do not hide the others") {
  Rig rig;
  Items three = items(3);
  three[0].cloud_id = "i-0a";
  three[1].cloud_id = "i-0b";
  three[2].cloud_id = "i-0c";
  rig.http.reply(400, errorXml("InvalidInstanceID.NotFound", "The instance IDs 'i-0a, i-0c' do not exist"));
  rig.http.reply(200, instancesXml({{"i-0b", "running", 1, "vcp-a-1"}}));
  const Seen seen = rig.driver.observe(rig.call(), three);
  CHECK(rig.form(1)["InstanceId.1"] == "i-0b");
  CHECK(rig.form(1).count("InstanceId.2") == 0);
  CHECK_FALSE(seen.machines.at(0).found);
  CHECK(seen.machines.at(1).state == State::kRunning);
  CHECK_FALSE(seen.machines.at(2).found);
}

TEST_CASE("observe: words that name none of the ids prove nothing") {
  Rig rig;
  Items one = items(1);
  one[0].cloud_id = "i-0a";
  rig.http.reply(400, errorXml("InvalidInstanceID.NotFound", "Something does not exist"));
  const Seen seen = rig.driver.observe(rig.call(), one);
  CHECK(seen.code == VCP_NOT_FOUND);
  CHECK(seen.machines.empty());
  CHECK(rig.http.requests.size() == 1);
}

TEST_CASE("observe: what was never heard of is found by its op, name or place") {
  Rig rig;
  rig.http.reply(200, instancesXml({{"i-0b", "running", 1},
                                    {"i-0z", "terminated", 0},
                                    {"i-0a", "pending", 0},
                                    {"i-0c", "running", 0, "vcp-a-2"}}));
  const Seen seen = rig.driver.observe(rig.call(), items(4));
  CHECK(rig.http.requests.size() == 1);
  CHECK(rig.form(0)["Filter.1.Name"] == "tag:vcp:op");
  CHECK(rig.form(0)["Filter.1.Value.1"] == "op");
  CHECK(seen.machines.at(0).cloud_id == "i-0a");  // the living one
  CHECK(seen.machines.at(1).cloud_id == "i-0b");
  CHECK(seen.machines.at(2).cloud_id == "i-0c");  // by name, not by place
  CHECK_FALSE(seen.machines.at(3).found);
}

TEST_CASE("observe: a thousand machines are one request, and pages are read to the end") {
  Rig rig;
  std::vector<std::string> ids;
  std::vector<Shown> shown;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back("i-" + std::to_string(100'000 + i));
    shown.push_back({ids.back(), "running", 0, "n"});
  }
  Items all(1000);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].index = static_cast<std::int64_t>(i);
    all[i].name = "n";
    all[i].cloud_id = ids[i];
  }
  rig.http.reply(200, instancesXml(shown));
  const Seen seen = rig.driver.observe(rig.call(), all);
  CHECK(rig.http.requests.size() == 1);
  CHECK(seen.machines.size() == 1000);
  CHECK(seen.machines.at(999).cloud_id == "i-100999");

  std::string first = instancesXml({{"i-0a", "running", 0, "vcp-a-0"}});
  first.insert(first.rfind("</Describe"), "<nextToken>more</nextToken>");
  rig.http.reply(200, first);
  rig.http.reply(200, instancesXml({{"i-0b", "running", 1, "vcp-a-1"}}));
  CHECK(rig.driver.observe(rig.call(), items(2)).machines.at(1).found);
  CHECK(rig.form(2)["NextToken"] == "more");
}

TEST_CASE("observe: a description that is too long is asked for in halves") {
  Rig rig;
  Items two = items(2);
  two[0].cloud_id = "i-0a";
  two[1].cloud_id = "i-0b";
  rig.http.fail(Code::kOutOfRange, Outcome::kUnknown);
  rig.http.reply(200, instancesXml({{"i-0a", "running", 0, "vcp-a-0"}}));
  rig.http.reply(200, instancesXml({{"i-0b", "running", 1, "vcp-a-1"}}));
  const Seen seen = rig.driver.observe(rig.call(), two);
  CHECK(seen.machines.at(0).found);
  CHECK(seen.machines.at(1).found);
}

TEST_CASE("observe: a failed read is an error, not an absence") {
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{
           {500, "<html/>"}, {403, errorXml("UnauthorizedOperation")}, {200, "<html/>"}, {200, "<Describe"}}) {
    CAPTURE(body);
    Rig rig;
    rig.http.reply(status, body);
    const Seen seen = rig.driver.observe(rig.call(), items(1));
    CHECK(seen.code != VCP_OK);
    CHECK(seen.machines.empty());
  }
}

TEST_CASE("destroy: one look by op, one request for all that live, absent is done") {
  Rig rig;
  Items three = items(3);
  three[0].cloud_id = "i-0a";
  rig.http.reply(200, instancesXml({{"i-0a", "running", 0, "vcp-a-0"},
                                    {"i-0b", "stopped", 1, "vcp-a-1"},
                                    {"i-0t", "running", 1, "vcp-a-1"},
                                    {"i-0c", "terminated", 2, "vcp-a-2"}}));
  rig.http.reply(200, "<TerminateInstancesResponse/>");
  const Answers gone = rig.driver.destroy(rig.call(), three);
  CHECK(rig.actions() == std::vector<std::string>{"DescribeInstances", "TerminateInstances"});
  auto form = rig.form(1);
  CHECK(form["InstanceId.1"] == "i-0a");
  CHECK(form["InstanceId.2"] == "i-0b");
  CHECK(form["InstanceId.3"] == "i-0t");  // a twin of its name
  CHECK(form.count("InstanceId.4") == 0);
  for (int i = 0; i < 3; ++i) CHECK(gone.items.at(i).done == 1);
}

TEST_CASE("destroy: a refusal is that of all, and nothing is done") {
  Rig rig;
  rig.http.reply(200, instancesXml({{"i-0a", "running", 0, "vcp-a-0"}, {"i-0b", "running", 1, "vcp-a-1"}}));
  rig.http.reply(400, errorXml("OperationNotPermitted"));
  const Answers kept = rig.driver.destroy(rig.call(), items(2));
  for (int i = 0; i < 2; ++i) {
    CHECK(kept.items.at(i).done == 0);
    CHECK(kept.items.at(i).error.code == VCP_PERMISSION_DENIED);
  }
  rig.http.fail(Code::kUnavailable, Outcome::kNotApplied);
  CHECK(rig.driver.destroy(rig.call(), items(1)).code == VCP_UNAVAILABLE);
}

TEST_CASE("power: already so is done, in between is waited for, absent is NOT_FOUND") {
  Rig rig;
  Items all = items(4);
  const char* const states[] = {"running", "stopped", "stopping", "terminated"};
  static const char* const kIds[] = {"i-0a", "i-0b", "i-0c", "i-0d"};
  std::vector<Shown> shown;
  for (std::size_t i = 0; i < 4; ++i) {
    all[i].cloud_id = kIds[i];
    shown.push_back({kIds[i], states[i], static_cast<int>(i), std::string(all[i].name)});
  }
  rig.http.reply(200, instancesXml(shown));
  rig.http.reply(200, "<StartInstancesResponse/>");
  const Answers on = rig.driver.power(rig.call(), true, all);
  CHECK(rig.form(1)["Action"] == "StartInstances");
  CHECK(rig.form(1)["InstanceId.1"] == "i-0b");
  CHECK(rig.form(1).count("InstanceId.2") == 0);
  CHECK(on.items.at(0).done == 1);
  CHECK(on.items.at(1).done == 1);
  CHECK(on.items.at(2).pending == 1);
  CHECK(on.items.at(3).error.code == VCP_NOT_FOUND);

  rig.http.reply(200, instancesXml(shown));
  rig.http.reply(400, errorXml("IncorrectInstanceState"));
  const Answers off = rig.driver.power(rig.call(), false, all);
  CHECK(rig.form(3)["Action"] == "StopInstances");
  CHECK(rig.form(3)["InstanceId.1"] == "i-0a");
  CHECK(off.items.at(0).error.code == VCP_FAILED_PRECONDITION);
  CHECK(off.items.at(1).done == 1);
  CHECK(off.items.at(2).done == 1);
}

TEST_CASE("list: by our mark, living ones only, in pages, complete when all was read") {
  Rig rig;
  std::string first = instancesXml({{"i-0a", "running", 0, "vcp-a-0"}, {"i-0b", "terminated", 0, "vcp-a-1"}});
  first.insert(first.rfind("</Describe"), "<nextToken>more</nextToken>");
  rig.http.reply(200, first);
  rig.http.reply(200, instancesXml({{"i-0c", "pending", 2}}));
  const Seen seen = rig.driver.list(rig.call());
  CHECK(seen.complete);
  CHECK(rig.form(0)["Filter.1.Name"] == "tag:vcp:provider");
  CHECK(rig.form(0)["Filter.1.Value.1"] == "aws");
  CHECK(rig.form(0)["Filter.2.Name"] == "tag:vcp:vcc");
  CHECK(rig.form(0)["Filter.2.Value.1"] == "vcc1");
  CHECK(rig.form(0)["MaxResults"] == "1000");
  REQUIRE(seen.machines.size() == 2);
  CHECK(seen.machines.at(0).name == "vcp-a-0");
  CHECK(seen.machines.at(1).name == "i-0c");
  CHECK(seen.machines.at(1).create_op == "op");
  CHECK(seen.machines.at(1).create_index == 2);

  rig.http.reply(200, first);
  rig.http.reply(500, "");
  CHECK_FALSE(rig.driver.list(rig.call()).complete);
}

namespace {

constexpr char kSubnetXml[] =
    "<R><subnetSet><item><subnetId>subnet-0a1b</subnetId><vpcId>vpc-1</vpcId><availabilityZone>ap-northeast-1a"
    "</availabilityZone><availableIpAddressCount>3</availableIpAddressCount></item></subnetSet></R>";

std::string groupXml(const std::string& vpc) {
  return "<R><securityGroupInfo><item><groupId>sg-0a1b</groupId><vpcId>" + vpc +
         "</vpcId></item></securityGroupInfo></R>";
}

vcp_error_t probe(Rig& rig, const std::string& entry = kEntry) {
  vcp_error_t error = detail::emptyError();
  rig.driver.ops().probe(rig.driver.instance(), rig.call(entry), &error);
  return error;
}

}  // namespace

TEST_CASE("probe: subnet, groups, default image, permission to run") {
  Rig rig;
  rig.http.reply(200, kSubnetXml);
  rig.http.reply(200, groupXml("vpc-1"));
  rig.http.reply(200, imagesXml());
  rig.http.reply(412, errorXml("DryRunOperation"));
  CHECK(probe(rig).code == VCP_OK);
  CHECK(rig.host.logged("AWS_SUBNET_NEARLY_FULL") == 1);
  CHECK(rig.actions() ==
        std::vector<std::string>{"DescribeSubnets", "DescribeSecurityGroups", "DescribeImages", "RunInstances"});
  CHECK(rig.form(3)["DryRun"] == "true");
}

TEST_CASE("probe: what is wrong is named") {
  const auto answer = [](const std::vector<std::pair<int, std::string>>& replies, const char* more = "{}") {
    Rig rig;
    for (const auto& [status, body] : replies) rig.http.reply(status, body);
    Json entry = Json::parse(kEntry);
    entry.update(Json::parse(more));
    return probe(rig, entry.dump());
  };
  const auto named = [](const vcp_error_t& error, const char* pointer) {
    CHECK(error.code == VCP_INVALID_ARGUMENT);
    CHECK(text(error).rfind(pointer, 0) == 0);
  };
  CHECK(answer({{401, errorXml("AuthFailure")}}).code == VCP_UNAUTHENTICATED);
  named(answer({{400, errorXml("InvalidSubnetID.NotFound")}}), "/catalog_entry/aws_vpc_subnet_id: ");
  named(answer({{200, kSubnetXml}}, R"({"aws_availability_zone":"ap-northeast-1c"})"),
        "/catalog_entry/aws_availability_zone: ");
  named(answer({{200, kSubnetXml}, {400, errorXml("InvalidGroup.NotFound")}}),
        "/catalog_entry/aws_vpc_security_group_id: ");
  named(answer({{200, kSubnetXml}, {200, groupXml("vpc-2")}}), "/catalog_entry/aws_vpc_security_group_id: ");
  const std::pair<int, std::string> subnet{200, kSubnetXml};
  const std::pair<int, std::string> group{200, groupXml("vpc-1")};
  named(answer({subnet, group, {200, "<R><imagesSet/></R>"}}, R"({"aws_default_image":"gone"})"),
        "/catalog_entry/aws_default_image: ");
  CHECK(answer({subnet, group, {200, "<R><imagesSet/></R>"}}).code == VCP_OK);
  CHECK(answer({subnet, group, {200, imagesXml()}, {403, errorXml("UnauthorizedOperation")}}).code ==
        VCP_PERMISSION_DENIED);
  CHECK(answer({subnet, group, {200, imagesXml()}, {400, errorXml("Unsupported")}}).code == VCP_OK);
  const std::pair<int, std::string> denied{403, errorXml("UnauthorizedOperation")};
  CHECK(answer({denied, denied, {200, imagesXml()}, {412, errorXml("DryRunOperation")}}).code == VCP_OK);
  CHECK(answer({subnet, group, {200, imagesXml()}, {503, "<html/>"}}).code == VCP_UNAVAILABLE);
}

// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include "rig.h"

using namespace ec2_test;

namespace {

/// A document with one member set, or removed by null.
std::string with(const char* document, const std::string& key, const std::string& value) {
  Json json = Json::parse(document);
  if (value == "null") {
    json.erase(key);
  } else {
    json[key] = Json::parse(value);
  }
  return json.dump();
}

constexpr char kGood[] =
    R"({"cci_version":"1.2","instance_type":"m5.large","volume_size":"16","volume_type":"gp2","cloud_image":"default",)"
    R"("ip_address_list":["10.0.0.5"],"access_key":"vault://cubbyhole/aws/access_key","volume_id":["vol-0a1b","vcp:a:b:c"],)"
    R"("secret_key":"vault://cubbyhole/aws/secret_key","tags":{"project":"demo"}})";
constexpr char kDisk[] =
    R"({"cci_version":"1.0","size":"8","type":"standard","cloud_image":"default","access_key":"a","secret_key":"b","tags":{}})";

}  // namespace

TEST_CASE("validate: what the SDK sends passes") {
  Rig rig;
  CHECK(rig.driver.validate(kGood, kEntry).empty());
  CHECK(rig.driver.validate(with(kGood, "ip_address_list", "[]"), kEntry).empty());
  CHECK(rig.driver.validate(with(kGood, "volume_size", "null"), kEntry).empty());
  CHECK(rig.driver.validate(with(kGood, "cloud_image", "\"niivcp-gpu-a-21.04.0-r0\""), kEntry).empty());
  CHECK(rig.driver.validate(with(kGood, "session_token", "\"t\""), kEntry).empty());
  CHECK(rig.driver.validate(kGood, with(kEntry, "aws_vpc_security_group_id", R"(["sg-1","sg-2"])")).empty());
  CHECK(rig.http.requests.empty());
}

TEST_CASE("validate: each bad value is named by its pointer") {
  Rig rig;
  const auto bad = [&](const std::string& key, const std::string& value, const std::string& tail = "") {
    const std::string text = rig.driver.validate(with(kGood, key, value), kEntry);
    CAPTURE(key);
    CAPTURE(value);
    CAPTURE(text);
    CHECK(text.rfind("/cloud_params/" + key + tail + ": ", 0) == 0);
  };
  for (const char* value : {"null", "\"\"", "\"large\"", "\"M5.large\"", "[\"m5.large\"]", "\"m5.large;x\""}) {
    bad("instance_type", value);
  }
  for (const char* value : {"\"0\"", "\"-1\"", "\"70000\"", "\"16G\"", "{}"}) bad("volume_size", value);
  for (const char* value : {"\"st1\"", "\"sc1\"", "\"fast\"", "[]"}) bad("volume_type", value);
  for (const char* value : {"\"ubuntu-*\"", "\"a\\nb\"", "[]"}) bad("cloud_image", value);
  bad("ip_address_list", "\"10.0.0.5\"");
  bad("ip_address_list", "[\"10.0.0.5\",\"10.0.0.5\"]", "/1");
  bad("ip_address_list", "[\"10.0.0.256\"]", "/0");
  bad("ip_address_list", "[7]", "/0");
  bad("volume_id", "[\"disk-1\"]", "/0");
  bad("volume_id", "\"vol-1\"");
  bad("access_key", "null");
  bad("secret_key", "\"\"");
  bad("tags", "[]");
  bad("tags", R"({"aws:x":"1"})", "/aws:x");
  bad("tags", R"({"vcp:op":"1"})", "/vcp:op");
  bad("tags", R"({"x":["1"]})", "/x");
}

TEST_CASE("validate: the entry, and where its endpoint may be") {
  Rig rig;
  const auto bad = [&](const std::string& key, const std::string& value) {
    const std::string text = rig.driver.validate(kGood, with(kEntry, key, value));
    CAPTURE(key);
    CAPTURE(value);
    CAPTURE(text);
    CHECK(text.rfind("/catalog_entry/" + key + ": ", 0) == 0);
  };
  for (const char* key : {"aws_region", "aws_vpc_subnet_id", "aws_vpc_security_group_id"}) bad(key, "null");
  bad("aws_region", "\"ap northeast\"");
  bad("aws_vpc_subnet_id", "\"sg-1\"");
  bad("aws_vpc_security_group_id", R"(["sg-1","subnet-1"])");
  bad("aws_availability_zone", "\"A B\"");
  bad("aws_image_owners", "[\"some body\"]");
  for (const char* url : {"\"ftp://x\"", "\"http://ec2.example.org\"", "\"https://127.0.0.1:5000\"",
                          "\"https://localhost\"", "\"https://x/path\"", "\"https://user@x\""}) {
    bad("aws_endpoint_url", url);
  }
  const std::string good = with(kEntry, "aws_endpoint_url", "\"https://vpce-1.ec2.ap-northeast-1.vpce.amazonaws.com\"");
  CHECK(rig.driver.validate(kGood, good).empty());
  const std::string moto = with(kEntry, "aws_endpoint_url", "\"http://127.0.0.1:5000\"");
  CHECK_FALSE(rig.driver.validate(kGood, moto).empty());
  Rig evaluation(vcp_plugin_v0, R"({"evaluation":true})");
  CHECK(evaluation.driver.validate(kGood, moto).empty());
}

TEST_CASE("spec: endpoints of regions") {
  const auto endpoint = [](const std::string& key, const std::string& value) {
    return ec2::parseEntry(with(kEntry, key, "\"" + value + "\""), true).endpoint;
  };
  CHECK(endpoint("aws_region", "us-west-2") == "https://ec2.us-west-2.amazonaws.com");
  CHECK(endpoint("aws_region", "cn-north-1") == "https://ec2.cn-north-1.amazonaws.com.cn");
  CHECK(endpoint("aws_endpoint_url", "http://127.0.0.1:5000/") == "http://127.0.0.1:5000");
  CHECK(endpoint("aws_endpoint_url", "https://ec2.example.org:443") == "https://ec2.example.org");
  CHECK(endpoint("aws_endpoint_url", "http://[::1]:80") == "http://[::1]");
}

TEST_CASE("spec: credentials that would break a header are refused") {
  for (const char* bad :
       {R"({"access_key":"a\nX: y","secret_key":"b"})", R"({"access_key":"a","secret_key":"b "})",
        R"({"access_key":"a","secret_key":"b","session_token":"c\r"})", R"({"access_key":"a"})", "{}"}) {
    CAPTURE(bad);
    try {
      ec2::parseCredentials(bad);
      FAIL("taken");
    } catch (const Error& error) {
      CHECK(error.code() == Code::kUnauthenticated);
      CHECK(error.outcome() == Outcome::kNotApplied);
    }
  }
  CHECK(ec2::parseCredentials(kKeys).access_key == "AKIDEXAMPLE");
}

TEST_CASE("validate: disks") {
  Rig rig;
  const OpenDisks disks(rig.driver);
  const auto text = [&](const std::string& params) {
    vcp_error_t error = detail::emptyError();
    const std::int32_t code = disks.ops().validate(rig.driver.instance(), borrow(params), borrow(kEntry), &error);
    return code == VCP_OK ? std::string() : std::string(error.message);
  };
  CHECK(text(kDisk).empty());
  CHECK(text(with(kDisk, "type", "\"st1\"")).empty());
  CHECK(text(with(with(kDisk, "size", "null").c_str(), "cloud_image", "\"snap-01\"")).empty());
  CHECK(text(with(kDisk, "size", "null")).rfind("/cloud_params/size: ", 0) == 0);
  CHECK(text(with(kDisk, "size", "\"0\"")).rfind("/cloud_params/size: ", 0) == 0);
  CHECK(text(with(kDisk, "type", "\"tape\"")).rfind("/cloud_params/type: ", 0) == 0);
  CHECK(text(with(kDisk, "access_key", "null")).rfind("/cloud_params/access_key: ", 0) == 0);
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/disk.h"
#include "vcp/plugin/testing/fake_crypto.h"
#include "vcp/plugin/testing/scripted_http.h"

namespace ec2_test {

using namespace vcp::plugin;
using testing::Answers;
using testing::CallOptions;
using testing::FakeCrypto;
using testing::FakeHost;
using testing::OpenDisks;
using testing::OpenDriver;
using testing::ScriptedHttp;
using testing::Seen;

constexpr char kEntry[] =
    R"({"aws_region":"ap-northeast-1","aws_vpc_subnet_id":"subnet-0a1b","aws_vpc_security_group_id":"sg-0a1b"})";
constexpr char kKeys[] = R"({"access_key":"AKIDEXAMPLE","secret_key":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"})";
constexpr char kSpec[] =
    R"({"provider":"aws","cloud_params":{"instance_type":"m5.large","volume_size":"16","volume_type":"gp2",)"
    R"("cloud_image":"default","tags":{"project":"demo"}},"access":{"user":"ubuntu","user_data":"#cloud-config\n"}})";
constexpr char kImageState[] = "1 ami-00000001 /dev/sda1";

/// The fields of a request's form, decoded.
inline std::map<std::string, std::string> formOf(const HttpRequest& request) {
  std::map<std::string, std::string> form;
  const std::string& body = request.body;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('&', at), body.size());
    const std::size_t sign = body.find('=', at);
    std::string value;
    for (std::size_t i = sign + 1; i < end; ++i) {
      if (body[i] == '%') {
        value.push_back(static_cast<char>(std::stoi(body.substr(i + 1, 2), nullptr, 16)));
        i += 2;
      } else {
        value.push_back(body[i]);
      }
    }
    form[body.substr(at, sign - at)] = value;
    at = end + 1;
  }
  return form;
}

inline std::string errorXml(const std::string& code, const std::string& message = "words") {
  return "<?xml version=\"1.0\"?><Response><Errors><Error><Code>" + code + "</Code><Message>" + message +
         "</Message></Error></Errors><RequestID>req-7</RequestID></Response>";
}

struct Shown {
  std::string id = "i-0001";
  std::string state = "running";
  int index = 0;
  std::string name;  // tag vcp:name
  std::string op = "op";
  std::string more;  // XML
};

inline std::string instanceXml(const Shown& one) {
  std::string tags = "<item><key>vcp:op</key><value>" + one.op + "</value></item>";
  if (!one.name.empty()) tags += "<item><key>vcp:name</key><value>" + one.name + "</value></item>";
  return "<item><instanceId>" + one.id + "</instanceId><instanceState><name>" + one.state +
         "</name></instanceState><privateIpAddress>10.0.0.9</privateIpAddress><amiLaunchIndex>" +
         std::to_string(one.index) + "</amiLaunchIndex><launchTime>2026-01-01T00:00:00Z</launchTime><tagSet>" + tags +
         "</tagSet>" + one.more + "</item>";
}

inline std::string instancesXml(const std::vector<Shown>& all) {
  std::string items;
  for (const Shown& one : all) items += instanceXml(one);
  return "<DescribeInstancesResponse><reservationSet><item><instancesSet>" + items +
         "</instancesSet></item></reservationSet></DescribeInstancesResponse>";
}

inline std::string launchedXml(const std::vector<Shown>& all) {
  std::string items;
  for (const Shown& one : all) items += instanceXml(one);
  return "<RunInstancesResponse><instancesSet>" + items + "</instancesSet></RunInstancesResponse>";
}

inline std::string imagesXml(const std::string& id = "ami-00000001", const std::string& date = "2026-01-01") {
  return "<DescribeImagesResponse><imagesSet><item><imageId>" + id +
         "</imageId><rootDeviceName>/dev/sda1</rootDeviceName>" + "<creationDate>" + date +
         "</creationDate></item></imagesSet></DescribeImagesResponse>";
}

/// A driver whose requests are answered from a queue. `entry` is that of the plugin under test.
struct Rig {
  FakeHost host;
  FakeCrypto crypto{host};
  ScriptedHttp http{host};
  OpenDriver driver;

  explicit Rig(const vcp_plugin_entry_t& entry = vcp_plugin_v0,
               const char* config = R"({"instance":"aws","evaluation":false,"options":{}})")
      : driver(entry, host, config) {}

  const vcp_call_t* call(const std::string& catalog_entry = kEntry, const std::string& credentials = kKeys) {
    CallOptions options;
    options.op_id = "op";
    options.vcc_id = "vcc1";
    options.catalog_entry = catalog_entry;
    options.credentials = credentials;
    return host.call(options);
  }

  std::vector<std::string> actions() const {
    std::vector<std::string> all;
    for (const HttpRequest& request : http.requests) all.push_back(formOf(request)["Action"]);
    return all;
  }
  std::map<std::string, std::string> form(std::size_t i) const { return formOf(http.requests.at(i)); }
};

/// Items 0..n-1 of one create.
inline Items items(std::size_t count, const char* driver_state = "") {
  static const char* const kNames[] = {"vcp-a-0", "vcp-a-1", "vcp-a-2", "vcp-a-3"};
  Items all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i].index = all[i].create_index = static_cast<std::int64_t>(i);
    all[i].name = kNames[i];
    all[i].display_name = "group-unit-1";
    all[i].create_op = "op";
    all[i].create_size = static_cast<std::int64_t>(count);
    all[i].driver_state = driver_state;
  }
  return all;
}

inline std::string text(const vcp_error_t& error) { return error.message; }

}  // namespace ec2_test

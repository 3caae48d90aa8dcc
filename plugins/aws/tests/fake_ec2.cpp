// SPDX-License-Identifier: Apache-2.0
// EC2 in small, for the conformance suite and for what moto cannot show: client tokens that are remembered, addresses
// that are in use, spot requests that bring another instance, and reads that lag. Its answers are judged by botocore
// (tests/e2e/aws).
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/testing/fake_cloud.h"

namespace {

using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::testing::CloudObject;

constexpr char kImage[] = "ami-0a1b2c3d4e5f60718";
constexpr char kSubnet[] = "subnet-0a1b2c3d";
constexpr char kGroup[] = "sg-0a1b2c3d";
constexpr char kZone[] = "ap-northeast-1a";
constexpr std::int64_t kHourMs = 3'600'000;

/// How long things take; `cloud_options` may shorten it for a run in real time.
struct Pace {
  std::int64_t lag_ms = 3000;  // until reads show what a create made
  std::int64_t boot_ms = 15'000;
  std::int64_t stop_ms = 10'000;
  std::int64_t end_ms = 5000;
  std::int64_t volume_ms = 4000;
};

using Form = std::map<std::string, std::string>;
using Tags = std::map<std::string, std::string>;

/// An error of EC2: status, code, words.
struct Refused {
  int status;
  std::string code;
  std::string message;
};

[[noreturn]] void refuse(int status, const std::string& code, const std::string& message) {
  throw Refused{status, code, message};
}

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

Form formOf(const std::string& body) {
  Form form;
  std::size_t at = 0;
  while (at < body.size()) {
    const std::size_t end = std::min(body.find('&', at), body.size());
    const std::string part = body.substr(at, end - at);
    const std::size_t sign = std::min(part.find('='), part.size());
    form[decoded(part.substr(0, sign))] = decoded(part.substr(std::min(sign + 1, part.size())));
    at = end + 1;
  }
  return form;
}

std::string get(const Form& form, const std::string& name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string() : found->second;
}

std::vector<std::string> listOf(const Form& form, const std::string& name) {
  std::vector<std::string> all;
  for (int i = 1; form.count(name + "." + std::to_string(i)) > 0; ++i) {
    all.push_back(form.at(name + "." + std::to_string(i)));
  }
  return all;
}

Tags tagsOf(const Form& form, const std::string& prefix) {
  Tags tags;
  for (int i = 1; form.count(prefix + "Tag." + std::to_string(i) + ".Key") > 0; ++i) {
    const std::string tag = prefix + "Tag." + std::to_string(i);
    tags[form.at(tag + ".Key")] = get(form, tag + ".Value");
  }
  return tags;
}

Tags specifiedTags(const Form& form, const std::string& kind) {
  for (int i = 1;; ++i) {
    const std::string prefix = "TagSpecification." + std::to_string(i) + ".";
    if (form.count(prefix + "ResourceType") == 0) return {};
    if (form.at(prefix + "ResourceType") == kind) return tagsOf(form, prefix);
  }
}

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  return out;
}

std::string element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + xml(text) + "</" + name + ">";
}
std::string around(const std::string& name, const std::string& inner) {
  return "<" + name + ">" + inner + "</" + name + ">";
}

std::string tagSet(const Tags& tags) {
  std::string items;
  for (const auto& [key, value] : tags) items += around("item", element("key", key) + element("value", value));
  return around("tagSet", items);
}

struct Thing {
  std::string owner;
  Tags tags;
  std::int64_t made_ms = 0;
  std::string state;
  std::string next;  // the state that follows at `next_ms`
  std::int64_t next_ms = 0;

  void become(const std::string& now, const std::string& then, std::int64_t at) {
    state = now;
    next = then;
    next_ms = at;
  }
};

struct Instance : Thing {
  std::string address;
  std::string token;
  std::string type;
  std::string request;
  std::string reason;
  int index = 0;
  bool is_over() const { return state == "terminated" || state == "shutting-down"; }
};

struct Request : Thing {
  std::string instance;
  std::string type;
  bool alive() const { return state == "open" || state == "active" || state == "disabled"; }
};

struct Volume : Thing {
  std::string size;
  std::string type;
  std::string instance;
  std::string device;
  std::string attachment;
};

class FakeEc2 final : public vcp::plugin::testing::FakeCloud {
 public:
  explicit FakeEc2(std::string_view options) {
    const Json json = vcp::plugin::parseObject(options, "cloud_options");
    accounts_ = json.at("accounts").get<decltype(accounts_)>();
    network_ = json.value("network", network_);
    pace_.lag_ms = json.value("lag_ms", pace_.lag_ms);
    pace_.boot_ms = json.value("boot_ms", pace_.boot_ms);
    pace_.stop_ms = json.value("stop_ms", pace_.stop_ms);
    pace_.end_ms = json.value("end_ms", pace_.end_ms);
    pace_.volume_ms = json.value("volume_ms", pace_.volume_ms);
  }

  HttpResponse handle(const HttpRequest& request) override {
    const Form form = formOf(request.body);
    const std::string action = get(form, "Action");
    try {
      const std::string owner = ownerOf(request);
      if (owner.empty()) refuse(401, "AuthFailure", "AWS was not able to validate the provided access credentials");
      return reply(200, around(action + "Response", element("requestId", "req-1") + serve(owner, action, form)));
    } catch (const Refused& no) {
      return reply(no.status, around("Response", around("Errors", around("Error", element("Code", no.code) +
                                                                                      element("Message", no.message))) +
                                                     element("RequestID", "req-1")));
    }
  }

  bool isChange(const HttpRequest& request) const override {
    const Form form = formOf(request.body);
    return get(form, "Action").rfind("Describe", 0) != 0 && get(form, "DryRun") != "true";
  }

  std::vector<CloudObject> objects() const override {
    std::vector<CloudObject> all;
    const auto nameOf = [](const Tags& tags) {
      const auto found = tags.find("vcp:name");
      return found == tags.end() ? std::string() : found->second;
    };
    for (const auto& [id, one] : instances_) {
      if (!one.is_over()) all.push_back({"machine", nameOf(one.tags), id, one.owner});
    }
    for (const auto& [id, one] : requests_) {
      if (one.alive()) all.push_back({"spot-request", nameOf(one.tags), id, one.owner});
    }
    for (const auto& [id, one] : volumes_) {
      if (one.state != "deleting") all.push_back({"volume", nameOf(one.tags), id, one.owner});
    }
    return all;
  }

  void advance(std::int64_t ms) override {
    now_ms_ += ms;
    settle(instances_);
    settle(volumes_);
    for (auto& [id, volume] : volumes_) {
      if (volume.attachment == "attaching" && now_ms_ >= volume.next_ms) volume.attachment = "attached";
      if (volume.attachment == "detaching" && now_ms_ >= volume.next_ms) letGo(volume);
    }
    for (auto it = volumes_.begin(); it != volumes_.end();) it = it->second.state == "gone" ? volumes_.erase(it) : ++it;
    for (auto it = instances_.begin(); it != instances_.end();) {
      const bool forgotten = it->second.state == "terminated" && now_ms_ >= it->second.next_ms + kHourMs;
      it = forgotten ? instances_.erase(it) : ++it;
    }
  }

  void addForeign() override {
    Instance instance;
    instance.owner = accounts_.begin()->second;
    instance.tags = {
        {"vcp:vcc", "somebody"}, {"vcp:provider", "aws"}, {"vcp:name", "vcp-ffffffff-00000000000000000000"}};
    add(std::move(instance));
  }

 private:
  static HttpResponse reply(int status, const std::string& body) {
    HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "text/xml;charset=UTF-8"}};
    response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + body;
    return response;
  }

  std::string ownerOf(const HttpRequest& request) const {
    for (const auto& [name, value] : request.headers) {
      const std::size_t at = value.find("Credential=");
      if (at == std::string::npos) continue;
      const std::string key = value.substr(at + 11, value.find('/', at) - at - 11);
      const auto found = accounts_.find(key);
      return found == accounts_.end() ? std::string() : found->second;
    }
    return {};
  }

  std::string serve(const std::string& owner, const std::string& action, const Form& form) {
    if (action == "DescribeImages") return images(form);
    if (action == "DescribeSubnets") return subnets(form);
    if (action == "DescribeSecurityGroups") return groups(form);
    if (action == "DescribeSnapshots") return around("snapshotSet", "");
    if (action == "RunInstances") return run(owner, form);
    if (action == "DescribeInstances") return describe(owner, form);
    if (action == "TerminateInstances") return change(owner, form, "terminate");
    if (action == "StopInstances") return change(owner, form, "stop");
    if (action == "StartInstances") return change(owner, form, "start");
    if (action == "CreateTags") return createTags(owner, form);
    if (action == "DescribeSpotInstanceRequests") return describeRequests(owner, form);
    if (action == "CancelSpotInstanceRequests") return cancelRequests(owner, form);
    if (action == "CreateVolume") return createVolume(owner, form);
    if (action == "DescribeVolumes") return describeVolumes(owner, form);
    if (action == "AttachVolume") return attach(owner, form);
    if (action == "DetachVolume") return detach(owner, form);
    if (action == "DeleteVolume") return deleteVolume(owner, form);
    refuse(400, "InvalidAction", "The action " + action + " is not valid for this web service.");
  }

  std::string id(const char* prefix) {
    char text[40];
    std::snprintf(text, sizeof text, "%s-%017llx", prefix, static_cast<unsigned long long>(++last_));
    return text;
  }

  std::string time(std::int64_t ms) const {
    char text[40];
    std::snprintf(text, sizeof text, "2026-11-%02dT%02d:%02d:%02d.000Z", static_cast<int>(1 + ms / 86'400'000 % 28),
                  static_cast<int>(ms / 3'600'000 % 24), static_cast<int>(ms / 60'000 % 60),
                  static_cast<int>(ms / 1000 % 60));
    return text;
  }

  std::string add(Instance instance) {
    std::string name = id("i");
    instance.made_ms = now_ms_;
    instance.become("pending", "running", now_ms_ + pace_.boot_ms);
    if (instance.address.empty()) {
      do {
        instance.address = network_ + std::to_string(4 + ++last_address_ % 200);
      } while (isTaken(instance.address));
    }
    instances_[name] = std::move(instance);
    return name;
  }

  template <class Things>
  void settle(Things& things) {
    for (auto& [name, thing] : things) {
      if (thing.next.empty() || now_ms_ < thing.next_ms) continue;
      thing.state = thing.next;
      thing.next.clear();
    }
  }

  bool isTaken(const std::string& address) const {
    return std::any_of(instances_.begin(), instances_.end(),
                       [&](const auto& entry) { return !entry.second.is_over() && entry.second.address == address; });
  }

  bool isShown(const Thing& thing, const std::string& owner) const {
    return thing.owner == owner && now_ms_ >= thing.made_ms + pace_.lag_ms;
  }

  /// Does it pass all Filter.N of the form? `own` are its values besides tags.
  static bool passes(const Form& form, const Tags& tags, const Tags& own) {
    for (int i = 1; form.count("Filter." + std::to_string(i) + ".Name") > 0; ++i) {
      const std::string filter = "Filter." + std::to_string(i);
      const std::string name = form.at(filter + ".Name");
      const std::vector<std::string> values = listOf(form, filter + ".Value");
      if (values.size() > 200) refuse(400, "FilterLimitExceeded", "The maximum number of filter values is 200");
      const Tags& where = name.rfind("tag:", 0) == 0 ? tags : own;
      const auto found = where.find(name.rfind("tag:", 0) == 0 ? name.substr(4) : name);
      if (&where == &own && found == own.end())
        refuse(400, "InvalidParameterValue", "The filter '" + name + "' is invalid");
      if (found == where.end() || std::find(values.begin(), values.end(), found->second) == values.end()) return false;
    }
    return true;
  }

  std::string images(const Form& form) const {
    for (const std::string& wanted : listOf(form, "ImageId")) {
      if (wanted != kImage) refuse(400, "InvalidAMIID.NotFound", "The image id '[" + wanted + "]' does not exist");
    }
    const bool by_name = form.count("Filter.1.Name") > 0 && form.at("Filter.1.Name") == "name";
    const std::string name = by_name ? get(form, "Filter.1.Value.1") : "";
    if (by_name && name != "vcp-image" && name.rfind("ubuntu/", 0) != 0) return around("imagesSet", "");
    return around("imagesSet", around("item", element("imageId", kImage) + element("rootDeviceName", "/dev/sda1") +
                                                  element("name", "vcp-image") + element("imageState", "available") +
                                                  element("creationDate", "2026-01-01T00:00:00.000Z")));
  }

  static std::string subnets(const Form& form) {
    for (const std::string& wanted : listOf(form, "SubnetId")) {
      if (wanted != kSubnet) refuse(400, "InvalidSubnetID.NotFound", "The subnet ID '" + wanted + "' does not exist");
    }
    return around("subnetSet",
                  around("item", element("subnetId", kSubnet) + element("vpcId", "vpc-1") +
                                     element("availabilityZone", kZone) + element("availableIpAddressCount", "200")));
  }

  static std::string groups(const Form& form) {
    for (const std::string& wanted : listOf(form, "GroupId")) {
      if (wanted != kGroup) refuse(400, "InvalidGroup.NotFound", "The security group '" + wanted + "' does not exist");
    }
    return around("securityGroupInfo", around("item", element("groupId", kGroup) + element("vpcId", "vpc-1")));
  }

  std::string show(const std::string& name, const Instance& one) const {
    std::string devices =
        around("item", element("deviceName", "/dev/sda1") +
                           around("ebs", element("volumeId", "vol-root") + element("status", "attached")));
    for (const auto& [volume_id, volume] : volumes_) {
      if (volume.instance != name) continue;
      devices += around("item", element("deviceName", volume.device) + around("ebs", element("volumeId", volume_id)));
    }
    std::string text = element("instanceId", name) + element("imageId", kImage) +
                       around("instanceState", element("code", "0") + element("name", one.state)) +
                       element("amiLaunchIndex", std::to_string(one.index)) + element("instanceType", one.type) +
                       element("launchTime", time(one.made_ms)) + element("clientToken", one.token) +
                       around("blockDeviceMapping", devices) + tagSet(one.tags);
    if (!one.is_over()) text += element("privateIpAddress", one.address);
    if (!one.request.empty()) {
      text += element("spotInstanceRequestId", one.request) + element("instanceLifecycle", "spot");
    }
    if (!one.reason.empty())
      text += around("stateReason", element("code", one.reason) + element("message", one.reason));
    return around("item", text);
  }

  std::string reservation(const std::string& items) {
    return element("reservationId", "r-1") + element("ownerId", "123456789012") + around("instancesSet", items);
  }

  std::string run(const std::string& owner, const Form& form) {
    const std::string token = get(form, "ClientToken");
    const auto known = tokens_.find(owner + token);
    if (!token.empty() && known != tokens_.end()) {
      if (known->second.form != form) {
        refuse(400, "IdempotentParameterMismatch",
               "Arguments on this idempotent request are inconsistent with those before");
      }
      std::string again;
      for (const std::string& name : known->second.made) {
        if (instances_.count(name) > 0) again += show(name, instances_.at(name));
      }
      return reservation(again);
    }
    if (get(form, "ImageId") != kImage) refuse(400, "InvalidAMIID.NotFound", "The image id does not exist");
    if (get(form, "SubnetId") != kSubnet) refuse(400, "InvalidSubnetID.NotFound", "The subnet does not exist");
    const std::string address = get(form, "PrivateIpAddress");
    if (!address.empty() && address.rfind(network_, 0) != 0) {
      refuse(400, "InvalidParameterValue", "Address " + address + " does not fall within the subnet's address range");
    }
    if (!address.empty() && isTaken(address))
      refuse(400, "InvalidIPAddress.InUse", "Address " + address + " is in use.");
    const int count = std::stoi(get(form, "MaxCount"));
    if (!address.empty() && count != 1) refuse(400, "InvalidParameterCombination", "One instance only with an address");
    if (get(form, "DryRun") == "true")
      refuse(412, "DryRunOperation", "Request would have succeeded, but DryRun is set.");
    const bool spot = get(form, "InstanceMarketOptions.MarketType") == "spot";
    std::string items;
    std::vector<std::string> made;
    for (int i = 0; i < count; ++i) {
      Instance instance;
      instance.owner = owner;
      instance.address = address;
      instance.tags = specifiedTags(form, "instance");
      instance.token = token;
      instance.type = get(form, "InstanceType");
      instance.index = i;
      if (spot) instance.request = addRequest(owner, form);
      const std::string name = add(std::move(instance));
      made.push_back(name);
      if (spot) requests_[instances_[name].request].instance = name;
      items += show(name, instances_[name]);
    }
    if (!token.empty()) tokens_[owner + token] = {form, made};
    return reservation(items);
  }

  std::string addRequest(const std::string& owner, const Form& form) {
    Request request;
    request.owner = owner;
    request.made_ms = now_ms_;
    request.tags = specifiedTags(form, "spot-instances-request");
    request.type = get(form, "InstanceMarketOptions.SpotOptions.SpotInstanceType");
    if (request.type == "persistent" &&
        get(form, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior") == "terminate") {
      refuse(400, "InvalidParameterCombination", "persistent needs stop or hibernate");
    }
    request.state = "active";
    std::string name = id("sir");
    requests_[name] = request;
    return name;
  }

  std::string describe(const std::string& owner, const Form& form) {
    const std::vector<std::string> wanted = listOf(form, "InstanceId");
    const std::string most = get(form, "MaxResults");
    if (!wanted.empty() && !most.empty()) {
      refuse(400, "InvalidParameterCombination",
             "The parameter instancesSet cannot be used with the parameter maxResults");
    }
    std::vector<std::string> absent;
    for (const std::string& name : wanted) {
      const auto found = instances_.find(name);
      if (found == instances_.end() || !isShown(found->second, owner)) absent.push_back(name);
    }
    if (absent.size() == 1)
      refuse(400, "InvalidInstanceID.NotFound", "The instance ID '" + absent[0] + "' does not exist");
    if (!absent.empty()) {
      std::string names;
      for (const std::string& name : absent) names += (names.empty() ? "" : ", ") + name;
      refuse(400, "InvalidInstanceID.NotFound", "The instance IDs '" + names + "' do not exist");
    }
    const std::string after = get(form, "NextToken");
    const std::size_t page = most.empty() ? 1000 : std::min<std::size_t>(kPage, std::stoul(most));
    std::string items;
    std::string next;
    std::size_t count = 0;
    for (const auto& [name, one] : instances_) {
      const bool asked = wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
      if (!asked || name <= after || !isShown(one, owner)) continue;
      if (!passes(form, one.tags, {{"instance-id", name}, {"instance-state-name", one.state}})) continue;
      if (count++ == page) {
        next = last_shown_;
        break;
      }
      items += around("item", reservation(show(name, one)));
      last_shown_ = name;
    }
    return around("reservationSet", items) + (next.empty() ? "" : element("nextToken", next));
  }

  /// All or nothing, as EC2 does it.
  std::string change(const std::string& owner, const Form& form, const std::string& verb) {
    const std::vector<std::string> names = listOf(form, "InstanceId");
    for (const std::string& name : names) {
      const auto found = instances_.find(name);
      if (found == instances_.end() || found->second.owner != owner) {
        refuse(400, "InvalidInstanceID.NotFound", "The instance ID '" + name + "' does not exist");
      }
      const Instance& one = found->second;
      if (verb != "terminate" && !one.request.empty() && requests_[one.request].type == "one-time") {
        refuse(400, "UnsupportedOperation", "You can't stop the Spot Instance '" + name + "' of a one-time request");
      }
      const bool fits = verb == "terminate" || (verb == "stop" ? one.state == "running" || one.state == "stopped"
                                                               : one.state == "stopped" || one.state == "running");
      if (!fits)
        refuse(400, "IncorrectInstanceState",
               "The instance '" + name + "' is not in a state from which it can be changed");
    }
    std::string items;
    for (const std::string& name : names) {
      Instance& one = instances_[name];
      if (verb == "terminate") terminate(name, one);
      if (verb == "stop" && one.state == "running") {
        one.become("stopping", "stopped", now_ms_ + pace_.stop_ms);
        one.reason = "Client.UserInitiatedShutdown";
      }
      if (verb == "start" && one.state == "stopped") {
        one.become("pending", "running", now_ms_ + pace_.boot_ms);
        one.reason.clear();
      }
      items += around("item", element("instanceId", name) + around("currentState", element("name", one.state)));
    }
    return around("instancesSet", items);
  }

  void terminate(const std::string& name, Instance& one) {
    if (one.is_over()) return;
    one.become("shutting-down", "terminated", now_ms_ + pace_.end_ms);
    one.reason = "Client.UserInitiatedShutdown";
    for (auto& [id, volume] : volumes_) {
      if (volume.instance == name) letGo(volume);
    }
    if (one.request.empty()) return;
    Request& request = requests_[one.request];
    if (request.type == "one-time" && request.alive()) request.state = "closed";
    if (request.type != "persistent" || !request.alive()) return;
    Instance another = one;  // the request still wants one
    another.address.clear();
    another.reason.clear();
    const std::string brought = add(std::move(another));
    requests_[one.request].instance = brought;
  }

  std::string createTags(const std::string& owner, const Form& form) {
    const Tags tags = tagsOf(form, "");
    for (const std::string& name : listOf(form, "ResourceId")) {
      const auto found = instances_.find(name);
      if (found == instances_.end() || !isShown(found->second, owner)) {
        refuse(400, "InvalidInstanceID.NotFound", "The instance ID '" + name + "' does not exist");
      }
      for (const auto& [key, value] : tags) found->second.tags[key] = value;
    }
    return element("return", "true");
  }

  std::string describeRequests(const std::string& owner, const Form& form) const {
    std::string items;
    for (const auto& [name, one] : requests_) {
      if (!isShown(one, owner)) continue;
      if (!passes(form, one.tags, {{"spot-instance-request-id", name}, {"state", one.state}})) continue;
      items += around("item", element("spotInstanceRequestId", name) + element("state", one.state) +
                                  element("type", one.type) + element("instanceId", one.instance) +
                                  element("createTime", time(one.made_ms)) +
                                  around("status", element("code", "fulfilled")) + tagSet(one.tags));
    }
    return around("spotInstanceRequestSet", items);
  }

  std::string cancelRequests(const std::string& owner, const Form& form) {
    std::string items;
    for (const std::string& name : listOf(form, "SpotInstanceRequestId")) {
      const auto found = requests_.find(name);
      if (found == requests_.end() || found->second.owner != owner) {
        refuse(400, "InvalidSpotInstanceRequestID.NotFound",
               "The spot instance request ID '" + name + "' does not exist");
      }
      found->second.state = "cancelled";
      items += around("item", element("spotInstanceRequestId", name) + element("state", "cancelled"));
    }
    return around("spotInstanceRequestSet", items);
  }

  Volume& volumeOf(const std::string& owner, const std::string& name) {
    const auto found = volumes_.find(name);
    if (found == volumes_.end() || found->second.owner != owner) {
      refuse(400, "InvalidVolume.NotFound", "The volume '" + name + "' does not exist.");
    }
    return found->second;
  }

  std::string show(const std::string& name, const Volume& one) const {
    std::string held;
    if (!one.attachment.empty()) {
      held = around("item", element("volumeId", name) + element("instanceId", one.instance) +
                                element("device", one.device) + element("status", one.attachment));
    }
    return element("volumeId", name) + element("size", one.size) + element("volumeType", one.type) +
           element("availabilityZone", kZone) + element("status", one.state) +
           element("createTime", time(one.made_ms)) + around("attachmentSet", held) + tagSet(one.tags);
  }

  std::string createVolume(const std::string& owner, const Form& form) {
    const std::string token = get(form, "ClientToken");
    const auto known = tokens_.find(owner + token);
    if (!token.empty() && known != tokens_.end()) {
      if (known->second.form != form) refuse(400, "IdempotentParameterMismatch", "Another request had this token");
      return show(known->second.made[0], volumeOf(owner, known->second.made[0]));
    }
    if (get(form, "AvailabilityZone") != kZone) refuse(400, "InvalidZone.NotFound", "The zone does not exist");
    Volume volume;
    volume.owner = owner;
    volume.tags = specifiedTags(form, "volume");
    volume.made_ms = now_ms_;
    volume.size = get(form, "Size");
    volume.type = get(form, "VolumeType").empty() ? "gp3" : get(form, "VolumeType");
    volume.become("creating", "available", now_ms_ + pace_.volume_ms);
    const std::string name = id("vol");
    volumes_[name] = volume;
    if (!token.empty()) tokens_[owner + token] = {form, {name}};
    return show(name, volume);
  }

  std::string describeVolumes(const std::string& owner, const Form& form) const {
    std::string items;
    for (const auto& [name, one] : volumes_) {
      if (!isShown(one, owner) || !passes(form, one.tags, {{"volume-id", name}, {"status", one.state}})) continue;
      items += around("item", show(name, one));
    }
    return around("volumeSet", items);
  }

  std::string attach(const std::string& owner, const Form& form) {
    Volume& volume = volumeOf(owner, get(form, "VolumeId"));
    const std::string instance = get(form, "InstanceId");
    const auto found = instances_.find(instance);
    if (found == instances_.end() || found->second.owner != owner) {
      refuse(400, "InvalidInstanceID.NotFound", "The instance ID '" + instance + "' does not exist");
    }
    if (found->second.state != "running" && found->second.state != "stopped") {
      refuse(400, "IncorrectState", "The instance is not running or stopped");
    }
    if (!volume.instance.empty()) refuse(400, "VolumeInUse", "The volume is already attached to an instance");
    if (volume.state != "available") refuse(400, "IncorrectState", "The volume is not available");
    for (const auto& [name, other] : volumes_) {
      if (other.instance == instance && other.device == get(form, "Device")) {
        refuse(400, "InvalidParameterValue", "Invalid value for unixDevice: it is already in use");
      }
    }
    volume.instance = instance;
    volume.device = get(form, "Device");
    volume.attachment = "attaching";
    volume.become("in-use", "", now_ms_ + pace_.volume_ms);
    return element("volumeId", get(form, "VolumeId")) + element("instanceId", instance) +
           element("status", "attaching");
  }

  static void letGo(Volume& volume) {
    volume.instance.clear();
    volume.device.clear();
    volume.attachment.clear();
    volume.become("available", "", 0);
  }

  std::string detach(const std::string& owner, const Form& form) {
    Volume& volume = volumeOf(owner, get(form, "VolumeId"));
    if (volume.instance.empty() || volume.instance != get(form, "InstanceId")) {
      refuse(400, "IncorrectState", "The volume is not attached to this instance");
    }
    volume.attachment = "detaching";
    volume.next_ms = now_ms_ + pace_.volume_ms;
    return element("volumeId", get(form, "VolumeId")) + element("status", "detaching");
  }

  std::string deleteVolume(const std::string& owner, const Form& form) {
    Volume& volume = volumeOf(owner, get(form, "VolumeId"));
    if (!volume.instance.empty()) refuse(400, "VolumeInUse", "The volume is attached");
    if (volume.state != "deleting") volume.become("deleting", "gone", now_ms_ + pace_.volume_ms);
    return element("return", "true");
  }

  static constexpr std::size_t kPage = 3;  // far less than asked for: pages are read

  struct Remembered {
    Form form;
    std::vector<std::string> made;
  };

  Pace pace_;
  std::string network_ = "10.60.0.";             // the first three parts of its addresses
  std::map<std::string, std::string> accounts_;  // access key -> account
  std::map<std::string, Instance> instances_;
  std::map<std::string, Request> requests_;
  std::map<std::string, Volume> volumes_;
  std::map<std::string, Remembered> tokens_;
  std::string last_shown_;
  std::int64_t now_ms_ = 0;
  std::int64_t last_ = 0;
  int last_address_ = 0;
};

}  // namespace

VCP_FAKE_CLOUD(FakeEc2);

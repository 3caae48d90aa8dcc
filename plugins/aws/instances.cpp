// SPDX-License-Identifier: Apache-2.0
#include "instances.h"

#include <algorithm>
#include <charconv>

#include "errors.h"

namespace ec2 {
namespace {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Observation;
using vcp::plugin::Outcome;
using vcp::plugin::Reason;
using vcp::plugin::State;
using vcp::plugin::XmlDocument;
using vcp::plugin::XmlNode;

constexpr std::size_t kMostIds = 1000;    // of one DescribeInstances
constexpr std::size_t kMostValues = 200;  // of one filter
constexpr char kPage[] = "1000";

bool startsWith(const std::string& text, const char* word) { return text.rfind(word, 0) == 0; }

State stateOf(const std::string& state) {
  if (state == "pending") return State::kProvisioning;
  if (state == "running") return State::kRunning;
  if (state == "stopping") return State::kStopping;
  if (state == "stopped") return State::kStopped;
  if (state == "shutting-down") return State::kTerminating;
  return state == "terminated" ? State::kGone : State::kUnspecified;
}

/// EC2 API Reference, StateReason.
Reason reasonOf(const std::string& code) {
  if (startsWith(code, "Server.SpotInstance")) return Reason::kInterrupted;
  if (startsWith(code, "Client.UserInitiated") || startsWith(code, "Client.InstanceInitiated"))
    return Reason::kRequested;
  return startsWith(code, "Server.") ? Reason::kHostFailure : Reason::kUnknown;
}

void take(const XmlNode& page, Instances& out) {
  for (const XmlNode& reservation : page.child("reservationSet").children("item")) {
    for (const XmlNode& item : reservation.child("instancesSet").children("item")) out.push_back(Instance::of(item));
  }
}

/// Instances of `ids`, or of the halves when their description is longer than a response may be.
void describe(const Client& client, std::vector<std::string> ids, Instances& out) {
  while (!ids.empty()) {
    Form form("DescribeInstances");
    form.list("InstanceId", ids);
    try {
      Instances found;
      client.readAll(form, [&](const XmlNode& page) { take(page, found); });
      out.insert(out.end(), found.begin(), found.end());
      return;
    } catch (const Error& error) {
      if (error.code() == Code::kOutOfRange && ids.size() > 1) {
        const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
        describe(client, {ids.begin(), middle}, out);
        ids.erase(ids.begin(), middle);
        continue;
      }
      if (!isAbsent(error)) throw;
      // The whole request is refused for the ids that do not exist, which the text names; the others are asked again.
      const std::vector<std::string> absent = idsIn(error.message(), "i-");
      const std::size_t before = ids.size();
      ids.erase(std::remove_if(
                    ids.begin(), ids.end(),
                    [&](const std::string& id) { return std::find(absent.begin(), absent.end(), id) != absent.end(); }),
                ids.end());
      if (ids.size() == before) throw;
    }
  }
}

}  // namespace

std::string Instance::tag(const std::string& key) const {
  const auto found = tags.find(key);
  return found == tags.end() ? std::string() : found->second;
}

Instance Instance::of(const XmlNode& item) {
  Instance out;
  out.id = item.child("instanceId").text();
  if (out.id.empty()) {
    throw Error(Code::kUnavailable, Outcome::kUnknown, "EC2's answer has an instance without an id");
  }
  out.state = item.child("instanceState").child("name").text();
  out.address = item.child("privateIpAddress").text();
  out.launched = item.child("launchTime").text();
  out.reason_code = item.child("stateReason").child("code").text();
  out.reason = item.child("stateReason").child("message").text();
  out.spot_request = item.child("spotInstanceRequestId").text();
  const std::string index = item.child("amiLaunchIndex").text();
  std::from_chars(index.data(), index.data() + index.size(), out.launch_index);
  for (const XmlNode& device : item.child("blockDeviceMapping").children("item")) {
    out.devices.insert(device.child("deviceName").text());
  }
  for (const XmlNode& tag : item.child("tagSet").children("item")) {
    out.tags[tag.child("key").text()] = tag.child("value").text();
  }
  return out;
}

std::map<std::string, Instance> instancesById(const Client& client, const std::vector<std::string>& ids) {
  Instances found;
  for (std::size_t at = 0; at < ids.size(); at += kMostIds) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
    describe(client, {begin, begin + static_cast<std::ptrdiff_t>(std::min(kMostIds, ids.size() - at))}, found);
  }
  std::map<std::string, Instance> by_id;
  for (Instance& instance : found) by_id[instance.id] = std::move(instance);
  return by_id;
}

void inTwoHundreds(const std::set<std::string>& values,
                   const std::function<void(const std::vector<std::string>&)>& ask) {
  std::vector<std::string> some;
  for (const std::string& value : values) {
    some.push_back(value);
    if (some.size() < kMostValues) continue;
    ask(some);
    some.clear();
  }
  if (!some.empty()) ask(some);
}

Instances instancesByOp(const Client& client, const Items& items) {
  std::set<std::string> ops;
  for (const Item& item : items) {
    if (!item.create_op.empty()) ops.insert(std::string(item.create_op));
  }
  Instances found;
  inTwoHundreds(ops, [&](const std::vector<std::string>& some) {
    Form form("DescribeInstances");
    form.filter(std::string("tag:") + kTagOp, some).set("MaxResults", kPage);
    client.readAll(form, [&](const XmlNode& page) { take(page, found); });
  });
  return found;
}

Instances ofItem(const Instances& all, const Item& item) {
  Instances mine;
  for (const Instance& instance : all) {
    const std::string name = instance.tag(kTagName);
    const bool by_place =
        name.empty() && instance.tag(kTagOp) == item.create_op && instance.launch_index == item.create_index;
    if (name == item.name || by_place) mine.push_back(instance);
  }
  std::stable_sort(mine.begin(), mine.end(), [](const Instance& a, const Instance& b) {
    return a.isOver() != b.isOver() ? b.isOver() : a.launched < b.launched;
  });
  return mine;
}

void eachInstance(const Client& client, const Tags& mark, const std::function<void(Instance)>& use) {
  Form form("DescribeInstances");
  for (const auto& [key, value] : mark) form.filter("tag:" + key, {value});
  form.set("MaxResults", kPage);
  client.readAll(form, [&](const XmlNode& page) {
    Instances found;
    take(page, found);
    for (Instance& instance : found) use(std::move(instance));
  });
}

Observation observationOf(const Instance& instance) {
  Observation seen;
  seen.found = true;
  seen.state = stateOf(instance.state);
  seen.name = instance.tag(kTagName);
  seen.cloud_id = instance.id;
  seen.address = instance.address;
  if (!instance.reason_code.empty()) {
    seen.reason = reasonOf(instance.reason_code);
    seen.provider_code = instance.reason_code;
    seen.detail = instance.reason.empty() ? instance.reason_code : instance.reason;
  }
  seen.create_op = instance.tag(kTagOp);
  seen.create_index = instance.launch_index;
  return seen;
}

Instances launched(const XmlDocument& answer) {
  Instances made;
  for (const XmlNode& item : answer.root().child("instancesSet").children("item")) made.push_back(Instance::of(item));
  return made;
}

}  // namespace ec2

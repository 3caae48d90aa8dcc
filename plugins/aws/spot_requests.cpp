// SPDX-License-Identifier: Apache-2.0
#include "spot_requests.h"

#include <algorithm>
#include <map>
#include <set>

#include "instances.h"

namespace ec2 {
namespace {

using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Resource;
using vcp::plugin::XmlNode;

constexpr char kRequestsPage[] = "1000";

void take(const Client& client, Form form, std::map<std::string, SpotRequest>& out) {
  form.set("MaxResults", kRequestsPage);
  client.readAll(form, [&](const XmlNode& page) {
    for (const XmlNode& item : page.child("spotInstanceRequestSet").children("item")) {
      SpotRequest request{
          item.child("spotInstanceRequestId").text(), item.child("state").text(), item.child("instanceId").text(), {}};
      for (const XmlNode& tag : item.child("tagSet").children("item")) {
        request.tags[tag.child("key").text()] = tag.child("value").text();
      }
      out[request.id] = std::move(request);
    }
  });
}

SpotRequests values(std::map<std::string, SpotRequest> found) {
  SpotRequests all;
  for (auto& entry : found) all.push_back(std::move(entry.second));
  return all;
}

Form describe() { return Form("DescribeSpotInstanceRequests"); }

}  // namespace

SpotRequests spotRequests(const Client& client, const Items& items) {
  std::set<std::string> ops;
  std::set<std::string> ids;
  for (const Item& item : items) {
    if (!item.create_op.empty()) ops.insert(std::string(item.create_op));
    for (const Resource& part : item.resources) {
      if (part.kind == kSpotRequestPart && !part.id.empty()) ids.insert(part.id);
    }
  }
  std::map<std::string, SpotRequest> found;
  // Filters, so that a request that AWS has forgotten is left out instead of refusing the others.
  inTwoHundreds(ops,
                [&](const auto& some) { take(client, describe().filter(std::string("tag:") + kTagOp, some), found); });
  inTwoHundreds(ids,
                [&](const auto& some) { take(client, describe().filter("spot-instance-request-id", some), found); });
  return values(std::move(found));
}

SpotRequests spotRequests(const Client& client, const Tags& mark) {
  Form form = describe();
  for (const auto& [key, value] : mark) form.filter("tag:" + key, {value});
  form.filter("state", {"open", "active", "disabled"});
  std::map<std::string, SpotRequest> found;
  take(client, form, found);
  return values(std::move(found));
}

SpotRequests ofItem(const SpotRequests& all, const Item& item) {
  SpotRequests mine;
  for (const SpotRequest& request : all) {
    const bool reported = std::any_of(item.resources.begin(), item.resources.end(), [&](const Resource& part) {
      return part.kind == kSpotRequestPart && part.id == request.id;
    });
    const auto name = request.tags.find(kTagName);
    const bool named = name != request.tags.end() && name->second == item.name;
    if (reported || named) mine.push_back(request);
  }
  return mine;
}

void cancelSpotRequests(const Client& client, const std::vector<std::string>& ids) {
  client.change(Form("CancelSpotInstanceRequests").list("SpotInstanceRequestId", ids));
}

}  // namespace ec2

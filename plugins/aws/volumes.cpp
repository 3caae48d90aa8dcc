// SPDX-License-Identifier: Apache-2.0
#include "volumes.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "instances.h"

namespace ec2 {
namespace {

using vcp::plugin::Code;
using vcp::plugin::DiskObservation;
using vcp::plugin::DiskState;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::XmlNode;

Volume volumeOf(const XmlNode& item) {
  Volume out;
  out.id = item.child("volumeId").text();
  out.state = item.child("status").text();
  out.created = item.child("createTime").text();
  const std::string size = item.child("size").text();
  std::from_chars(size.data(), size.data() + size.size(), out.size_gib);
  for (const XmlNode& held : item.child("attachmentSet").children("item")) {
    if (held.child("status").text() == "detached") continue;
    out.attachment = held.child("status").text();
    out.instance = held.child("instanceId").text();
  }
  for (const XmlNode& tag : item.child("tagSet").children("item")) {
    out.tags[tag.child("key").text()] = tag.child("value").text();
  }
  return out;
}

/// Filters and not ids, so that a volume that does not exist is left out instead of refusing the others.
void take(const Client& client, const std::string& filter, const std::set<std::string>& values,
          std::map<std::string, Volume>& out) {
  inTwoHundreds(values, [&](const std::vector<std::string>& some) {
    client.readAll(Form("DescribeVolumes").filter(filter, some), [&](const XmlNode& page) {
      for (const XmlNode& item : page.child("volumeSet").children("item")) {
        Volume volume = volumeOf(item);
        out[volume.id] = std::move(volume);
      }
    });
  });
}

bool isOf(const Volume& volume, const Item& disk) {
  if (!disk.cloud_id.empty() && volume.id == disk.cloud_id) return true;
  const auto name = volume.tags.find(kTagName);
  return !disk.name.empty() && name != volume.tags.end() && name->second == disk.name;
}

DiskState stateOf(const Volume& volume) {
  if (volume.state == "creating") return DiskState::kCreating;
  if (volume.state == "deleting") return DiskState::kDeleting;
  if (volume.state == "error") return DiskState::kFailed;
  if (volume.attachment == "attaching") return DiskState::kAttaching;
  if (volume.attachment == "attached") return DiskState::kAttached;
  if (!volume.attachment.empty()) return DiskState::kDetaching;
  return volume.state == "available" ? DiskState::kAvailable : DiskState::kUnspecified;
}

}  // namespace

std::vector<Volumes> volumesOf(const Client& client, const Items& disks) {
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const Item& disk : disks) {
    if (!disk.cloud_id.empty()) {
      ids.insert(std::string(disk.cloud_id));
    } else if (!disk.name.empty()) {
      names.insert(std::string(disk.name));
    }
  }
  std::map<std::string, Volume> found;
  take(client, "volume-id", ids, found);
  take(client, std::string("tag:") + kTagName, names, found);
  std::vector<Volumes> all;
  for (const Item& disk : disks) {
    Volumes mine;
    for (const auto& entry : found) {
      if (!entry.second.isGone() && isOf(entry.second, disk)) mine.push_back(entry.second);
    }
    std::stable_sort(mine.begin(), mine.end(), [](const Volume& a, const Volume& b) { return a.created < b.created; });
    all.push_back(std::move(mine));
  }
  return all;
}

DiskObservation observationOf(const Volume& volume) {
  DiskObservation seen;
  seen.found = true;
  seen.state = stateOf(volume);
  seen.size_gib = volume.size_gib;
  seen.cloud_id = volume.id;
  seen.machine_id = volume.instance;
  if (seen.state == DiskState::kFailed) {
    seen.failure = Code::kInternal;
    seen.detail = "EC2 shows the volume in error";
    seen.provider_code = volume.state;
  }
  return seen;
}

}  // namespace ec2

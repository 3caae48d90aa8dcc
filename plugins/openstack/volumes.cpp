// SPDX-License-Identifier: Apache-2.0
#include "volumes.h"

#include <algorithm>
#include <map>

#include "fields.h"

namespace openstack {
namespace {

using vcp::plugin::Code;
using vcp::plugin::DiskObservation;
using vcp::plugin::DiskState;
using vcp::plugin::Error;
using vcp::plugin::Item;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

DiskState diskStateOf(const std::string& status) {
  static const std::map<std::string, DiskState> kStates{
      {"creating", DiskState::kCreating},   {"downloading", DiskState::kCreating}, {"available", DiskState::kAvailable},
      {"reserved", DiskState::kAttaching},  {"attaching", DiskState::kAttaching},  {"in-use", DiskState::kAttached},
      {"detaching", DiskState::kDetaching}, {"deleting", DiskState::kDeleting}};
  if (status.compare(0, 5, "error") == 0) return DiskState::kFailed;
  const auto known = kStates.find(status);
  return known == kStates.end() ? DiskState::kUnspecified : known->second;
}

}  // namespace

Volume Volume::of(const Json& json) {
  Volume out;
  out.id = textIn(json, "id");
  if (out.id.empty()) {
    throw Error(Code::kUnavailable, Outcome::kUnknown, "Cinder's answer has a volume without an id");
  }
  out.name = textIn(json, "name");
  out.status = textIn(json, "status");
  out.created = textIn(json, "created_at");
  const auto size = json.find("size");
  if (size != json.end() && size->is_number_integer()) out.size_gib = size->get<std::int64_t>();
  for (const Json& held : partOf(json, "attachments")) {
    if (out.server.empty()) out.server = textIn(held, "server_id");
  }
  return out;
}

Volumes volumesOf(const Client& client, const Item& disk) {
  Volumes found;
  if (!disk.cloud_id.empty()) {
    if (const auto answer = client.find(Service::kVolume, "/volumes/" + encoded(disk.cloud_id))) {
      found.push_back(Volume::of(partOf(*answer, "volume")));
    }
  }
  if (!disk.name.empty()) {
    client.each(Service::kVolume, "/volumes/detail?name=" + encoded(disk.name), "volumes", [&](const Json& one) {
      const bool has = !found.empty() && found.front().id == textIn(one, "id");
      if (textIn(one, "name") == disk.name && !has) found.push_back(Volume::of(one));
    });
  }
  std::stable_sort(found.begin(), found.end(), [](const Volume& a, const Volume& b) { return a.created < b.created; });
  return found;
}

DiskObservation observationOf(const Volume& volume) {
  DiskObservation seen;
  seen.found = true;
  seen.state = diskStateOf(volume.status);
  seen.size_gib = volume.size_gib;
  seen.cloud_id = volume.id;
  seen.machine_id = volume.server;
  if (seen.state == DiskState::kFailed) {
    // Cinder shows why to administrators only; most often its storage has no room.
    seen.failure = Code::kResourceExhausted;
    seen.detail = "Cinder shows the volume in status " + volume.status;
    seen.provider_code = volume.status;
  }
  if (seen.state == DiskState::kUnspecified) seen.detail = volume.status;
  return seen;
}

}  // namespace openstack

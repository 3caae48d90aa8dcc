// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "fake_openstack.h"

namespace fake_openstack {

Json FakeOpenStack::show(const std::string& id, const Volume& volume) const {
  Json held = Json::array();
  if (!volume.server.empty()) held.push_back({{"server_id", volume.server}, {"volume_id", id}, {"id", id}});
  return {{"id", id},
          {"status", volume.status},
          {"size", volume.size},
          {"availability_zone", "nova"},
          {"created_at", time(volume.made_ms).substr(0, 26)},
          {"name", volume.name},
          {"volume_type", volume.type},
          {"metadata", volume.metadata},
          {"attachments", held}};
}

HttpResponse FakeOpenStack::volume(const Asked& asked) {
  if (!asked.version.empty() && asked.version.rfind("volume 3.", 0) != 0) {
    refuseNova(400, "badRequest",
               "The server could not comply with the request since it is either malformed or otherwise incorrect.");
  }
  if (asked.is("POST", 1, "volumes")) {
    const auto used = std::count_if(volumes_.begin(), volumes_.end(),
                                    [&](const auto& one) { return one.second.project == asked.project; });
    if (used >= pace_.volumes) {
      throw Refused{413,
                    {{"overLimit",
                      {{"code", 413},
                       {"message", "VolumeLimitExceeded: Maximum number of volumes allowed (" +
                                       std::to_string(pace_.volumes) + ") exceeded for quota 'volumes'."},
                       {"retryAfter", "0"}}}}};
    }
    const Json& wanted = asked.body.at("volume");
    Volume volume;
    volume.project = asked.project;
    volume.name = wanted.at("name");
    volume.size = wanted.at("size").get<std::int64_t>();
    volume.type = wanted.value("volume_type", "fast");
    volume.metadata = wanted.value("metadata", Json::object());
    volume.status = "creating";
    volume.made_ms = now_ms_;
    volume.next_ms = now_ms_ + pace_.volume_ms;
    const std::string id = newId();
    volumes_[id] = volume;
    return reply(202, {{"volume", show(id, volume)}});
  }
  if (asked.is("GET", 2, "volumes") && asked.path[1] == "detail") {
    Json all = Json::array();
    for (const auto& [id, one] : volumes_) {
      if (isShown(one, asked.project) && (asked.first("name").empty() || asked.first("name") == one.name)) {
        all.push_back(show(id, one));
      }
    }
    return reply(200, {{"volumes", all}});
  }
  if (asked.path.size() != 2 || asked.path[0] != "volumes") refuseNova(404, "itemNotFound", "not found");
  const auto found = volumes_.find(asked.path[1]);
  if (found == volumes_.end() || !isShown(found->second, asked.project)) {
    refuseNova(404, "itemNotFound", "Volume " + asked.path[1] + " could not be found.");
  }
  if (asked.method == "GET") return reply(200, {{"volume", show(found->first, found->second)}});
  Volume& volume = found->second;
  if (volume.status != "available" && volume.status != "error") {
    refuseNova(400, "badRequest", "Invalid volume: Volume status must be available or error or error_restoring");
  }
  volume.status = "deleting";
  volume.next_ms = now_ms_ + pace_.volume_ms;
  return reply(202, nullptr);
}

void FakeOpenStack::settleVolumes() {
  for (auto it = volumes_.begin(); it != volumes_.end();) {
    Volume& volume = it->second;
    const bool due = now_ms_ >= volume.next_ms;
    if (due && volume.status == "deleting") {
      it = volumes_.erase(it);
      continue;
    }
    if (due && (volume.status == "creating" || volume.status == "detaching")) {
      volume.status = "available";
      volume.server.clear();
    }
    if (due && volume.status == "attaching") volume.status = "in-use";
    ++it;
  }
}

}  // namespace fake_openstack

// SPDX-License-Identifier: Apache-2.0
// Cinder volumes as data disks: the part of the driver that is the extension vcp.disk/1.
#include <algorithm>
#include <optional>

#include "driver.h"
#include "errors.h"
#include "fields.h"
#include "names.h"
#include "volumes.h"

namespace openstack {

using vcp::plugin::Attachment;
using vcp::plugin::Attachments;
using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::DiskObservation;
using vcp::plugin::DiskObservations;
using vcp::plugin::Error;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Json;
using vcp::plugin::Outcome;
using vcp::plugin::Results;

namespace {

constexpr std::int64_t kPollMs = 3000;
constexpr char kVolumePart[] = "volume";

Error notReady(const Item& disk, const std::string& why) {
  return Error(Code::kFailedPrecondition, Outcome::kNotApplied, "disk " + std::string(disk.name) + ": " + why);
}

Error absentOne(const Item& item, const char* what) {
  return Error(Code::kNotFound, Outcome::kNotApplied,
               std::string(what) + " " + std::string(item.name) + " " + std::string(item.cloud_id) +
                   ": the cloud has no such " + what);
}

std::string attachmentsPath(const std::string& server) {
  return "/servers/" + encoded(server) + "/os-volume_attachments";
}

}  // namespace

void OpenStackDriver::validateDisks(std::string_view cloud_params, std::string_view catalog_entry) {
  const Json params = vcp::plugin::parseObject(cloud_params, "cloud_params");
  const Site site = parseSite(catalog_entry, settings_);
  parseDisk(params);
  checkSecrets(params, site);
}

void OpenStackDriver::createDisks(const Call& call, std::string_view spec_text, const Items& disks, Results& out) {
  const Json spec = vcp::plugin::parseObject(spec_text, "spec");
  const DiskSpec wanted = parseDisk(spec.value("cloud_params", Json::object()));
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  for (const Item& disk : disks) {
    out.guard(disk, [&] {
      if (!disk.cloud_id.empty()) return out.done(disk);
      const Volumes found = call.attempt() <= 1 ? Volumes{} : volumesOf(client, disk);
      if (!found.empty()) {
        out.machine(disk, found.front().id, "");
        return out.done(disk);
      }
      Json volume{{"name", disk.name}, {"size", wanted.size_gib}, {"metadata", marks(call, disk, wanted.tags)}};
      if (!disk.display_name.empty()) volume["description"] = disk.display_name;
      if (!wanted.type.empty()) volume["volume_type"] = wanted.type;
      if (!site.volume_zone.empty()) volume["availability_zone"] = site.volume_zone;
      if (!wanted.image.empty()) volume["imageRef"] = imageOf(client, wanted.image);
      const Json answer = client.change({Service::kVolume, "POST", "/volumes", Json{{"volume", volume}}, ""});
      const std::string id = textIn(partOf(answer, "volume"), "id");
      if (id.empty()) {
        throw Error(Code::kUnavailable, Outcome::kApplied, "POST volume /volumes: the answer has no volume");
      }
      out.machine(disk, id, "");
      out.done(disk);
    });
  }
}

void OpenStackDriver::destroyDisks(const Call& call, const Items& disks, Results& out) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  for (const Item& disk : disks) {
    out.guard(disk, [&] {
      const Volumes mine = volumesOf(client, disk);
      for (const Volume& volume : mine) {
        if (!volume.server.empty()) {
          throw notReady(disk, "server " + volume.server + " holds it; detach it first");
        }
      }
      const auto next = std::find_if(mine.begin(), mine.end(), [](const Volume& v) { return v.status != "deleting"; });
      if (next == mine.end()) return out.done(disk);
      if (next->status == "creating" || next->status == "downloading" || next->status == "detaching") {
        return out.pending(disk, kPollMs, "Cinder shows it " + next->status);
      }
      try {
        client.change({Service::kVolume, "DELETE", "/volumes/" + encoded(next->id), nullptr, ""});
      } catch (const Error& error) {
        if (!isAbsent(error)) throw;
      }
      // A twin, made by a request that took effect late, goes in the next step.
      mine.size() > 1 ? out.pending(disk, 0, "another volume of its name is next") : out.done(disk);
    });
  }
}

void OpenStackDriver::attachDisks(const Call& call, const Attachments& attachments, Results& out) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  for (const Attachment& at : attachments) {
    out.guard(at.disk, [&] {
      const Volumes volumes = volumesOf(client, at.disk);
      if (volumes.empty()) throw absentOne(at.disk, "volume");
      const Servers servers = lookForServers(client, at.machine, Depth::kShallow);
      if (servers.empty() || servers.front().isLeaving()) throw absentOne(at.machine, "server");
      const Volume& volume = volumes.front();
      const Server& server = servers.front();
      if (volume.server == server.id && volume.status != "detaching") return out.done(at.disk);
      if (!volume.server.empty()) throw notReady(at.disk, "server " + volume.server + " holds it");
      if (volume.status != "available") throw notReady(at.disk, "volume " + volume.id + " is " + volume.status);
      const bool fits = server.status == "ACTIVE" || server.status == "SHUTOFF" || server.status == "PAUSED";
      if (!fits || server.isChanging()) {
        throw notReady(at.disk, "server " + server.id + " is " + server.status + " " + server.task);
      }
      client.change({Service::kCompute, "POST", attachmentsPath(server.id),
                     Json{{"volumeAttachment", {{"volumeId", volume.id}}}}, ""});
      out.done(at.disk);
    });
  }
}

void OpenStackDriver::detachDisks(const Call& call, const Attachments& attachments, Results& out) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  for (const Attachment& at : attachments) {
    out.guard(at.disk, [&] {
      const Volumes volumes = volumesOf(client, at.disk);
      if (volumes.empty()) return out.done(at.disk);
      const Volume& volume = volumes.front();
      std::string server(at.machine.cloud_id);
      if (server.empty()) {
        const Servers found = serversOf(client, serverName(at.machine));
        if (!found.empty()) server = found.front().id;
      }
      if (server.empty() || volume.server != server || volume.status == "detaching") return out.done(at.disk);
      try {
        client.change({Service::kCompute, "DELETE", attachmentsPath(server) + "/" + encoded(volume.id), nullptr, ""});
      } catch (const Error& error) {
        // Nova and Cinder see each other late: the next look tells.
        if (!isAbsent(error)) throw;
        return out.pending(at.disk, kPollMs, error.message());
      }
      out.done(at.disk);
    });
  }
}

void OpenStackDriver::observeDisks(const Call& call, const Items& disks, DiskObservations& out) {
  const Site site = siteOf(call);
  const Client client(services_, call, site);
  for (const Item& disk : disks) {
    out.guard(disk, [&] {
      const Volumes found = volumesOf(client, disk);
      if (found.empty()) return out.observed(disk, DiskObservation{});
      DiskObservation seen = openstack::observationOf(found.front());
      for (std::size_t twin = 1; twin < found.size(); ++twin) {
        const std::string& id = found[twin].id;
        seen.resources.push_back({kVolumePart, std::string(disk.name) + "+" + id, id});
      }
      out.observed(disk, seen);
    });
  }
}

}  // namespace openstack

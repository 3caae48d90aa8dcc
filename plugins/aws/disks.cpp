// SPDX-License-Identifier: Apache-2.0
// EBS volumes as data disks: the part of the driver that is the extension vcp.disk/1.
#include <algorithm>
#include <map>
#include <set>

#include "driver.h"
#include "errors.h"

namespace ec2 {

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
constexpr char kSnapshotState[] = "1 ";  // version of driver_state, before the id of the snapshot

Error not_ready(const Item& disk, const std::string& why) {
  return Error(Code::kFailedPrecondition, Outcome::kNotApplied, "disk " + std::string(disk.name) + ": " + why);
}

Error absent(const Item& item, const char* what) {
  return Error(Code::kNotFound, Outcome::kNotApplied,
               std::string(what) + " " + std::string(item.name) + " " + std::string(item.cloud_id) +
                   ": EC2 has no such " + what);
}

/// Where a subnet's machines live, and so where their disks must be.
std::string zoneOf(const Client& client, const Entry& entry) {
  if (!entry.zone.empty()) return entry.zone;
  const auto document = client.read(Form("DescribeSubnets").list("SubnetId", {entry.subnet}));
  std::string zone = document.root().child("subnetSet").child("item").child("availabilityZone").text();
  if (zone.empty()) {
    throw vcp::plugin::invalid("/catalog_entry/aws_vpc_subnet_id", "EC2 does not say in which zone the subnet is");
  }
  return zone;
}

/// The first of the names that AWS recommends for data volumes.
std::string freeDevice(const std::set<std::string>& used) {
  for (char letter = 'f'; letter <= 'p'; ++letter) {
    const std::string tail(1, letter);
    if (used.count("/dev/sd" + tail) == 0 && used.count("/dev/xvd" + tail) == 0) return "/dev/sd" + tail;
  }
  return {};
}

Items column(const Attachments& attachments, Item Attachment::*which) {
  Items items;
  for (const Attachment& attachment : attachments) items.push_back(attachment.*which);
  return items;
}

}  // namespace

void Ec2Driver::validateDisks(std::string_view cloud_params, std::string_view catalog_entry) {
  const Json params = vcp::plugin::parseObject(cloud_params, "cloud_params");
  parseDisk(params);
  checkSecrets(params);
  parseEntry(catalog_entry, evaluation_);
}

void Ec2Driver::createDisks(const Call& call, std::string_view spec_text, const Items& disks, Results& out) {
  const Json spec = vcp::plugin::parseObject(spec_text, "spec");
  const DiskSpec wanted = parseDisk(spec.value("cloud_params", Json::object()));
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  std::string zone;
  for (const Item& disk : disks) {
    out.guard(disk, [&] {
      if (!disk.cloud_id.empty()) return out.done(disk);
      std::string snapshot;
      if (!wanted.snapshot.empty()) {
        if (disk.driver_state.substr(0, 2) != kSnapshotState) {
          out.driverState(disk, kSnapshotState + resolveSnapshot(client, wanted.snapshot));
          return out.pending(disk, 0, "its snapshot is known");
        }
        snapshot = disk.driver_state.substr(2);
      }
      if (zone.empty()) zone = zoneOf(client, entry);
      Form form("CreateVolume");
      form.set("AvailabilityZone", zone);
      if (wanted.volume.size_gib > 0) form.set("Size", std::to_string(wanted.volume.size_gib));
      if (!wanted.volume.type.empty()) form.set("VolumeType", wanted.volume.type);
      if (wanted.volume.iops > 0) form.set("Iops", std::to_string(wanted.volume.iops));
      if (!snapshot.empty()) form.set("SnapshotId", snapshot);
      form.set("ClientToken", std::string(call.opId()) + "-" + std::to_string(disk.create_index));
      form.tagged("volume", marks(call, disk.name, disk.display_name, wanted.tags));
      const auto answer = client.change(form);
      const std::string id = answer.root().child("volumeId").text();
      if (id.empty()) throw Error(Code::kUnavailable, Outcome::kApplied, "CreateVolume: EC2's answer has no volume");
      out.machine(disk, id, "");
      out.done(disk);
    });
  }
}

void Ec2Driver::destroyDisks(const Call& call, const Items& disks, Results& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const std::vector<Volumes> found = volumesOf(client, disks);
  for (std::size_t i = 0; i < disks.size(); ++i) {
    const Item& disk = disks[i];
    out.guard(disk, [&] {
      const Volumes& mine = found[i];
      for (const Volume& volume : mine) {
        if (!volume.instance.empty())
          throw not_ready(disk, "instance " + volume.instance + " holds it; detach it first");
      }
      const auto next = std::find_if(mine.begin(), mine.end(), [](const Volume& v) { return v.state != "deleting"; });
      if (next == mine.end()) return out.done(disk);
      if (next->state == "creating") return out.pending(disk, kPollMs, "EC2 is still making it");
      try {
        client.change(Form("DeleteVolume").set("VolumeId", next->id));
      } catch (const Error& error) {
        if (!isAbsent(error)) throw;
      }
      // A twin, made by a request that took effect late, goes in the next step.
      mine.size() > 1 ? out.pending(disk, 0, "another volume of its name is next") : out.done(disk);
    });
  }
}

void Ec2Driver::attachDisks(const Call& call, const Attachments& attachments, Results& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const std::vector<Volumes> volumes = volumesOf(client, column(attachments, &Attachment::disk));
  const Items machines = column(attachments, &Attachment::machine);
  const Sight sight = look(client, machines, Depth::kShallow);
  std::map<std::string, std::set<std::string>> used;  // device names by instance, also those of this call
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    const Item& disk = attachments[i].disk;
    out.guard(disk, [&] {
      if (volumes[i].empty()) throw absent(disk, "volume");
      if (sight.instances[i].empty() || sight.instances[i].front().isLeaving()) throw absent(machines[i], "instance");
      const Volume& volume = volumes[i].front();
      const Instance& instance = sight.instances[i].front();
      if (volume.instance == instance.id && volume.attachment != "detaching") return out.done(disk);
      if (!volume.instance.empty()) throw not_ready(disk, "instance " + volume.instance + " holds it");
      if (volume.state != "available") throw not_ready(disk, "volume " + volume.id + " is " + volume.state);
      if (instance.state != "running" && instance.state != "stopped") {
        throw not_ready(disk, "instance " + instance.id + " is " + instance.state);
      }
      std::set<std::string>& names = used[instance.id];
      names.insert(instance.devices.begin(), instance.devices.end());
      const std::string device = freeDevice(names);
      if (device.empty())
        throw not_ready(disk, "instance " + instance.id + " has no free device name (/dev/sdf to sdp)");
      names.insert(device);
      client.change(
          Form("AttachVolume").set("VolumeId", volume.id).set("InstanceId", instance.id).set("Device", device));
      out.done(disk);
    });
  }
}

void Ec2Driver::detachDisks(const Call& call, const Attachments& attachments, Results& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const std::vector<Volumes> volumes = volumesOf(client, column(attachments, &Attachment::disk));
  const Sight sight = look(client, column(attachments, &Attachment::machine), Depth::kShallow);
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    const Item& disk = attachments[i].disk;
    out.guard(disk, [&] {
      if (volumes[i].empty() || sight.instances[i].empty()) return out.done(disk);
      const Volume& volume = volumes[i].front();
      const Instance& instance = sight.instances[i].front();
      if (volume.instance != instance.id || volume.attachment == "detaching") return out.done(disk);
      // With the instance named, a disk that has changed hands meanwhile stays where it is.
      try {
        client.change(Form("DetachVolume").set("VolumeId", volume.id).set("InstanceId", instance.id));
      } catch (const Error& error) {
        const bool lets_go = error.providerCode() == "IncorrectState" || isAbsent(error);
        if (!lets_go) throw;
        return out.pending(disk, kPollMs, error.message());
      }
      out.done(disk);
    });
  }
}

void Ec2Driver::observeDisks(const Call& call, const Items& disks, DiskObservations& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const std::vector<Volumes> found = volumesOf(client, disks);
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (found[i].empty()) {
      out.observed(disks[i], DiskObservation{});
      continue;
    }
    DiskObservation seen = observationOf(found[i].front());
    for (std::size_t twin = 1; twin < found[i].size(); ++twin) {
      const std::string& id = found[i][twin].id;
      seen.resources.push_back({kVolumePart, std::string(disks[i].name) + "+" + id, id});
    }
    out.observed(disks[i], seen);
  }
}

}  // namespace ec2

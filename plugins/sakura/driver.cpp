// SPDX-License-Identifier: Apache-2.0
#include "driver.h"

#include <algorithm>
#include <set>
#include <utility>

#include "vcp_schema.h"

namespace sakura {

using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Json;
using vcp::plugin::Observation;
using vcp::plugin::Observations;
using vcp::plugin::Outcome;
using vcp::plugin::Resource;
using vcp::plugin::Results;
using vcp::plugin::State;

namespace {

constexpr char kDisk[] = "disk";  // kinds of parts
constexpr char kTwin[] = "server";
constexpr char kDiskEnd[] = "-disk";
constexpr std::int64_t kCopyMs = 20'000;  // a copy takes minutes
constexpr std::int64_t kPowerMs = 5'000;

Error unreadable(const std::string& what) {
  return Error(Code::kUnavailable, Outcome::kUnknown, "the cloud's answer has no " + what);
}

/// Text at `pointer`; ids come as numbers where a client asked for that once.
std::string memberOf(const Json& object, const char* pointer) {
  const Json::json_pointer where(pointer);
  if (!object.contains(where)) throw unreadable(pointer);
  const Json& value = object.at(where);
  if (value.is_structured() || value.is_null()) throw unreadable(pointer);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string idOf(const Json& object) { return memberOf(object, "/ID"); }
std::string powerOf(const Json& server) { return memberOf(server, "/Instance/Status"); }
/// Of a second object of a name: the host merges parts by (kind, name).
std::string twinName(const std::string& name, const std::string& id) { return name + "+" + id; }
std::string diskName(const Item& item) { return std::string(item.name) + kDiskEnd; }

/// The id of the archive that machines begin as.
std::string archiveOf(const Client& client, const Entry& entry, const std::string& image) {
  const std::string& wanted = image == "default" ? entry.default_image : image;
  if (wanted.empty()) {
    throw vcp::plugin::invalid("/catalog_entry/sakura_default_image",
                               "is missing; set it in the VPN catalog, or name an archive as cloud_image");
  }
  if (isId(wanted)) return wanted;
  const std::vector<Json> archives = client.named("archive", wanted);
  if (archives.size() != 1) {
    throw vcp::plugin::invalid("/cloud_params/cloud_image", std::to_string(archives.size()) + " archives are named '" +
                                                                wanted + "'; give the id of one");
  }
  return idOf(archives.front());
}

Json serverBody(const Call& call, const Entry& entry, const MachineSpec& spec, const Item& item) {
  // A tag takes 32 characters, one less than a minted name: the controller's id fits, the name is the server's.
  return {{"Server",
           {{"Name", item.name},
            {"Description", item.display_name},
            {"Tags", {call.vccId()}},
            {"ServerPlan", {{"CPU", spec.cores}, {"MemoryMB", spec.memory_gb * 1024}}},
            {"InterfaceDriver", "virtio"},
            {"ConnectedSwitches", Json::array({{{"ID", entry.switch_id}}})}}}};
}

Json diskBody(const Call& call, const Entry& entry, const MachineSpec& spec, const Json& access, const Item& item,
              const std::string& server, const std::string& archive) {
  Json keys = Json::array();
  for (const Json& key : access.value("public_keys", Json::array())) keys.push_back({{"PublicKey", key}});
  Json subnet{{"NetworkMaskLen", entry.prefix_len}};
  if (!entry.gateway.empty()) subnet["DefaultRoute"] = entry.gateway;
  return {
      {"Disk",
       {{"Name", diskName(item)},
        {"Tags", {call.vccId()}},
        {"Plan", {{"ID", std::stoi(spec.disk_plan)}}},
        {"SizeMB", spec.disk_gb * 1024},
        {"Connection", "virtio"},
        {"SourceArchive", {{"ID", archive}}},
        {"Server", {{"ID", server}}}}},
      {"Config",
       {{"SSHKeys", keys}, {"DisablePWAuth", true}, {"UserIPAddress", item.requested_address}, {"UserSubnet", subnet}}},
      {"BootAtAvailable", false}};
}

/// One machine of one call.
class Machine {
 public:
  Machine(const Client& client, const Item& item) : client_(client), item_(item) {}

  std::vector<Json> servers() const {
    return find("server", "/Server", std::string(item_.cloud_id), std::string(item_.name));
  }
  /// What its servers say they have, at once; else what is found of them.
  std::vector<Json> disks(const std::vector<Json>& servers) const {
    std::vector<Json> own;
    for (const Json& server : servers) {
      for (Json& disk : disksOf(server)) own.push_back(std::move(disk));
    }
    if (!own.empty()) return own;
    std::string id;
    for (const Resource& part : item_.resources) {
      if (part.kind == kDisk) id = part.id;
    }
    return find("disk", "/Disk", id, diskName(item_));
  }

  void setPower(const Json& server, bool on) const {
    const std::string path = "/server/" + idOf(server) + "/power";
    client_.change(on ? "PUT" : "DELETE", path, on ? Json() : Json{{"Force", true}});
  }

  /// Every part that costs money besides the first server.
  std::vector<Resource> parts(const std::vector<Json>& servers, const std::vector<Json>& disks) const {
    std::vector<Resource> all;
    for (std::size_t i = 1; i < servers.size(); ++i) {
      all.push_back({kTwin, twinName(std::string(item_.name), idOf(servers[i])), idOf(servers[i])});
    }
    for (std::size_t i = 0; i < disks.size(); ++i) {
      const std::string id = idOf(disks[i]);
      all.push_back({kDisk, i == 0 ? diskName(item_) : twinName(diskName(item_), id), id});
    }
    return all;
  }

  /// What became of the copy and of the power switch; at most one change.
  void finish(const Call& call, const Json& server, const Json& disk, Results& out) const {
    const std::string copy = memberOf(disk, "/Availability");
    if (copy == "failed") {
      throw Error(Code::kDataLoss, Outcome::kNotApplied,
                  "disk " + diskName(item_) + ": the copy of its archive failed");
    }
    if (copy != "available") {
      const std::int64_t done = disk.value("MigratedMB", std::int64_t{0});
      const std::int64_t all = disk.value("SizeMB", std::int64_t{0});
      const bool sane = done >= 0 && done <= all && all > 0 && all < std::int64_t{1} << 40;
      if (sane) call.progress(static_cast<std::int32_t>(done * 100 / all), "the disk is copied");
      return out.pending(item_, kCopyMs, "the disk is copied");
    }
    const std::string power = powerOf(server);
    if (power == "up") return out.done(item_);
    if (power != "down") return out.pending(item_, kPowerMs, "the server is " + power);
    // The vendor's own tools ask again until it is up; a request that was accepted is not the end.
    setPower(server, true);
    out.pending(item_, kPowerMs, "power on");
  }

  void destroy(Results& out) const {
    const std::vector<Json> found = servers();
    const std::vector<Json> own = disks(found);
    for (const Json& disk : own) {
      if (memberOf(disk, "/Availability") == "migrating") {
        return out.pending(item_, kCopyMs, "its disk is still copied, and can be removed only then");
      }
    }
    for (const Json& server : found) {
      const std::string power = powerOf(server);
      if (power == "up") {
        setPower(server, false);
        return out.pending(item_, kPowerMs, "power off");
      }
      if (power != "down") return out.pending(item_, kPowerMs, "the server is " + power);
      Json with = Json::array();
      for (const Json& disk : disksOf(server)) with.push_back(idOf(disk));
      client_.change("DELETE", "/server/" + idOf(server), {{"WithDisk", with}});
      return out.pending(item_, 0, "server removed");
    }
    for (const Json& disk : own) {
      client_.change("DELETE", "/disk/" + idOf(disk));
      return out.pending(item_, 0, "disk removed");
    }
    out.resource(item_, kDisk, diskName(item_), "");
    out.done(item_);
  }

  Observation observe() const {
    const std::vector<Json> found_servers = servers();
    const std::vector<Json> found_disks = disks(found_servers);
    Observation seen;
    seen.name = item_.name;
    seen.resources = parts(found_servers, found_disks);
    seen.found = !found_servers.empty() || !found_disks.empty();
    if (seen.found) seen.state = item_.cloud_id.empty() ? State::kProvisioning : State::kTerminating;
    if (!found_servers.empty()) {
      const Json& server = found_servers.front();
      const std::string power = powerOf(server);
      const bool whole = !found_disks.empty() && memberOf(found_disks.front(), "/Availability") == "available";
      seen.cloud_id = idOf(server);
      seen.address = item_.requested_address;
      seen.state = power == "up"         ? State::kRunning
                   : power == "cleaning" ? State::kStopping
                   : whole               ? State::kStopped
                                         : State::kProvisioning;
    }
    return seen;
  }

 private:
  /// Those that came with it; its data disks have other names, and stay.
  std::vector<Json> disksOf(const Json& server) const {
    std::vector<Json> own;
    for (const Json& disk : server.value("Disks", Json::array())) {
      if (memberOf(disk, "/Name") == diskName(item_)) own.push_back(disk);
    }
    return own;
  }

  /// By name, which also finds what a lost answer left behind, oldest first; and by its id, because a search may not
  /// show yet what was just made.
  std::vector<Json> find(const std::string& kind, const char* member, const std::string& id,
                         const std::string& name) const {
    std::vector<Json> found = client_.named(kind, name);
    const bool shown = std::any_of(found.begin(), found.end(), [&](const Json& object) { return idOf(object) == id; });
    if (id.empty() || shown) return found;
    try {
      const Json answer = client_.read("/" + kind + "/" + id);
      const Json::json_pointer where(member);
      if (!answer.contains(where)) throw unreadable(member);
      found.insert(found.begin(), answer.at(where));
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
    }
    return found;
  }

  const Client& client_;
  const Item& item_;
};

}  // namespace

SakuraDriver::SakuraDriver(const vcp::plugin::Host& host, std::string_view config)
    : services_(host), evaluation_(vcp::plugin::parseObject(config, "config").value("evaluation", false)) {}

std::string_view SakuraDriver::schema() const { return vcp_schema::kText; }

void SakuraDriver::validate(std::string_view cloud_params, std::string_view catalog_entry) {
  const Json params = vcp::plugin::parseObject(cloud_params, "cloud_params");
  parseMachine(params);
  checkSecrets(params);
  checkAddresses(params);
  parseEntry(catalog_entry, evaluation_);
}

void SakuraDriver::probe(const Call& call) {
  const Entry entry = entryOf(call);
  Client(services_, call, entry).read("/switch/" + entry.switch_id);
}

void SakuraDriver::create(const Call& call, std::string_view spec_text, const Items& items, Results& out) {
  const Json spec = vcp::plugin::parseObject(spec_text, "spec");
  const MachineSpec wanted = parseMachine(spec.value("cloud_params", Json::object()));
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  for (const Item& item : items) {
    out.guard(item, [&] {
      const Machine machine(client, item);
      const std::vector<Json> servers = machine.servers();
      if (servers.empty() && !item.cloud_id.empty()) {
        throw Error(Code::kDataLoss, Outcome::kNotApplied,
                    "server " + std::string(item.name) + " is gone before it was whole");
      }
      if (servers.empty()) {
        const Json made = client.change("POST", "/server", serverBody(call, entry, wanted, item));
        out.machine(item, memberOf(made, "/Server/ID"), item.requested_address);
        return out.pending(item, 0, "server made");
      }
      out.machine(item, idOf(servers.front()), item.requested_address);
      const std::vector<Json> disks = machine.disks(servers);
      if (disks.empty()) {
        const std::string archive = archiveOf(client, entry, wanted.image);
        const Json body =
            diskBody(call, entry, wanted, spec.value("access", Json::object()), item, idOf(servers.front()), archive);
        out.resource(item, kDisk, diskName(item), memberOf(client.change("POST", "/disk", body), "/Disk/ID"));
        return out.pending(item, kCopyMs, "the disk is copied");
      }
      for (const Resource& part : machine.parts(servers, disks)) out.resource(item, part.kind, part.name, part.id);
      machine.finish(call, servers.front(), disks.front(), out);
    });
  }
}

void SakuraDriver::observe(const Call& call, const Items& items, Observations& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  for (const Item& item : items) {
    out.guard(item, [&] { out.observed(item, Machine(client, item).observe()); });
  }
}

void SakuraDriver::destroy(const Call& call, const Items& items, Results& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  for (const Item& item : items) {
    out.guard(item, [&] { Machine(client, item).destroy(out); });
  }
}

void SakuraDriver::power(const Call& call, bool on, const Items& items, Results& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  for (const Item& item : items) {
    out.guard(item, [&] {
      const Machine machine(client, item);
      const std::vector<Json> servers = machine.servers();
      if (servers.empty()) {
        throw Error(Code::kNotFound, Outcome::kNotApplied, "server " + std::string(item.name) + " does not exist");
      }
      const std::string power = powerOf(servers.front());
      if (power == (on ? "up" : "down")) return out.done(item);
      if (power == "cleaning") return out.pending(item, kPowerMs, "the server is going off");
      machine.setPower(servers.front(), on);
      out.pending(item, kPowerMs, on ? "power on" : "power off");
    });
  }
}

void SakuraDriver::list(const Call& call, Observations& out) {
  const Entry entry = entryOf(call);
  const Client client(services_, call, entry);
  const Json own{{"Tags.Name", {call.vccId()}}};
  std::set<std::string> names;
  for (const Json& server : client.search("server", own)) {
    Observation seen;
    seen.found = true;
    seen.name = memberOf(server, "/Name");
    seen.cloud_id = idOf(server);
    seen.state = powerOf(server) == "up" ? State::kRunning : State::kStopped;
    names.insert(seen.name);
    if (!out.listed(seen)) return;
  }
  const std::string end = kDiskEnd;
  for (const Json& disk : client.search("disk", own)) {
    const std::string name = memberOf(disk, "/Name");
    if (name.size() <= end.size() || name.compare(name.size() - end.size(), end.size(), end) != 0) continue;
    Observation seen;  // a disk that its server left behind
    seen.name = name.substr(0, name.size() - end.size());
    if (names.count(seen.name) != 0) continue;
    seen.found = true;
    seen.state = State::kTerminating;
    seen.resources.push_back({kDisk, name, idOf(disk)});
    if (!out.listed(seen)) return;
  }
  out.complete();
}

}  // namespace sakura

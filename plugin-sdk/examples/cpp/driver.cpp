// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "client.h"
#include "vcp/plugin/cpp/plugin.h"
#include "vcp_schema.h"

namespace tiny {

using namespace vcp::plugin;

constexpr std::string_view kDiskSuffix = "-disk";
constexpr std::int64_t kCopyPollMs = 1'000;
constexpr std::size_t kFewItems = 4;  // up to here, asking one by one costs less than reading everything

std::string diskName(std::string_view machine) { return std::string(machine) + std::string(kDiskSuffix); }

/// What the cloud has under the names of one item. Names are not unique, and a lost request may have taken effect late:
/// there may be several of a kind, oldest first.
struct Parts {
  std::vector<Json> machines;
  std::vector<Json> disks;

  bool none() const { return machines.empty() && disks.empty(); }
};

/// The host merges parts by (kind, name), so each twin needs a name of its own.
void append(std::vector<Resource>& out, const char* kind, const std::vector<Json>& objects) {
  for (const Json& object : objects) {
    const std::string name = object.at("name");
    const std::string id = object.at("id");
    out.push_back({kind, &object == &objects[0] ? name : name + "+" + id, id});
  }
}

State stateOf(const Json& machine) {
  const std::string state = machine.at("state");
  if (state == "building") return State::kProvisioning;
  if (state == "running") return State::kRunning;
  return state == "stopped" ? State::kStopped : State::kUnspecified;
}

/// A cloud where a machine takes three requests (disk, machine, power) and minutes of copying between them, that knows
/// no tokens, whose names are not unique, and where one logs in.
class Tiny final : public Driver, public Listing, public Power {
 public:
  Tiny(Host host, std::string_view) : http_(host), session_(host) {}

  std::string_view schema() const override { return vcp_schema::kText; }

  void validate(std::string_view cloud_params, std::string_view catalog_entry) override {
    const Json params = parseObject(cloud_params, "cloud_params");
    const std::string size = textOf(params, "size", "/cloud_params").value_or("small");
    if (size != "small" && size != "large") throw invalid("/cloud_params/size", "must be small or large");
    textOf(params, "image", "/cloud_params");
    for (const char* key : {"user", "password"}) {
      if (!textOf(params, key, "/cloud_params")) throw invalid(std::string("/cloud_params/") + key, "is missing");
    }
    endpoint(catalog_entry);
  }

  void probe(const Call& call) override { client(call).get("/v2/machines?limit=1"); }

  void create(const Call& call, std::string_view spec_text, const Items& items, Results& out) override {
    const Json spec = parseObject(spec_text, "spec");
    Client cloud = client(call);
    for (const Item& item : items) {
      out.guard(item, [&] { createStep(cloud, call, spec, item, out); });
    }
  }

  void observe(const Call& call, const Items& items, Observations& out) override {
    Client cloud = client(call);
    std::map<std::string, Parts> all;
    if (items.size() > kFewItems) all = everything(cloud, call);
    for (const Item& item : items) {
      out.guard(item, [&] {
        // A list may prove that a machine is there, never that it is not.
        const auto listed = all.find(std::string(item.name));
        const bool seen = listed != all.end() && !listed->second.machines.empty();
        out.observed(item, observationOf(seen ? listed->second : look(cloud, item), item.name, !item.cloud_id.empty()));
      });
    }
  }

  void list(const Call& call, Observations& out) override {
    Client cloud = client(call);
    for (const auto& [name, parts] : everything(cloud, call)) {
      if (!out.listed(observationOf(parts, name, false))) return;
    }
    out.complete();
  }

  // [destroy]
  void destroy(const Call& call, const Items& items, Results& out) override {
    Client cloud = client(call);
    for (const Item& item : items) {
      out.guard(item, [&] {
        const Parts parts = look(cloud, item);
        report(parts, item, out);
        if (parts.none()) return out.done(item);
        const bool machine = !parts.machines.empty();  // first: a disk in use cannot go
        const Json& next = machine ? parts.machines[0] : parts.disks[0];
        cloud.remove((machine ? "/v2/machines/" : "/v2/disks/") + next.at("id").get<std::string>());
        out.pending(item, 0, machine ? "its machine is gone, its disk is next" : "its disk is gone");
      });
    }
  }
  // [destroy]

  void power(const Call& call, bool on, const Items& items, Results& out) override {
    Client cloud = client(call);
    for (const Item& item : items) {
      out.guard(item, [&] {
        const Parts parts = look(cloud, item);
        if (parts.machines.empty()) {
          throw Error(Code::kNotFound, Outcome::kNotApplied,
                      "machine " + std::string(item.name) + ": cannot change its power: it does not exist");
        }
        setPower(cloud, parts.machines[0], on);
        out.done(item);
      });
    }
  }

 private:
  // [create]
  /// One change at most, decided by what the cloud has under the item's names. So it does not matter whether the last
  /// step was answered, nor whether this process is the one that sent it.
  void createStep(Client& cloud, const Call& call, const Json& spec, const Item& item, Results& out) {
    const Json& params = spec.at("cloud_params");
    const Json labels{{"vcc", call.vccId()}, {"title", item.display_name}};
    const Parts parts = look(cloud, item);
    report(parts, item, out);
    if (parts.disks.empty()) {
      const std::string image = chosenImage(cloud, params, item, out);
      const Json disk = cloud.post("/v2/disks", {{"name", diskName(item.name)}, {"image", image}, {"labels", labels}});
      out.resource(item, "disk", diskName(item.name), disk.at("id").get<std::string>());
      return out.pending(item, kCopyPollMs, "its disk is being copied");
    }
    const Json& disk = parts.disks[0];
    if (parts.machines.empty()) {
      if (disk.at("state") != "ready") {
        return out.pending(item, kCopyPollMs, "its disk: " + disk.at("progress").dump() + " % copied");
      }
      Json body{{"name", item.name},
                {"size", textOf(params, "size", "/cloud_params").value_or("small")},
                {"disk", disk.at("id")},
                {"power", false},
                {"user_data", spec.value(Json::json_pointer("/access/user_data"), "")},
                {"labels", labels}};
      if (!item.requested_address.empty()) body["address"] = item.requested_address;
      const Json machine = cloud.post("/v2/machines", body);
      out.machine(item, machine.at("id").get<std::string>(), machine.at("address").get<std::string>());
      return out.pending(item, 0, "its power is next");
    }
    setPower(cloud, parts.machines[0], true);
    out.done(item);
  }
  // [create]

  // [state]
  /// "1 <image id>" in driver_state: "ubuntu" means the newest image of that name, and a newer one may appear before
  /// the request is repeated.
  static std::string chosenImage(Client& cloud, const Json& params, const Item& item, Results& out) {
    if (item.driver_state.substr(0, 2) == "1 ") return std::string(item.driver_state.substr(2));
    const std::string name = textOf(params, "image", "/cloud_params").value_or("ubuntu");
    std::string newest;
    std::int64_t created = 0;
    const Json images = cloud.get("/v2/images");
    for (const Json& image : images.at("items")) {
      if (image.at("name") != name || image.at("created") <= created) continue;
      newest = image.at("id");
      created = image.at("created");
    }
    if (newest.empty()) throw invalid("/cloud_params/image", "the cloud has no image " + name);
    out.driverState(item, "1 " + newest);
    return newest;
  }
  // [state]

  static void setPower(Client& cloud, const Json& machine, bool on) {
    const State wanted = on ? State::kRunning : State::kStopped;
    const State present = stateOf(machine);
    if (present == wanted || (on && present == State::kProvisioning)) return;
    cloud.post("/v2/machines/" + machine.at("id").get<std::string>() + "/power", {{"on", on}});
  }

  // [look]
  /// What exists of one item: by name, which also finds what a lost answer left behind, and by the ids that earlier
  /// steps reported, because a list may lag.
  static Parts look(Client& cloud, const Item& item) {
    Parts parts{cloud.list("/v2/machines?name=" + std::string(item.name)),
                cloud.list("/v2/disks?name=" + diskName(item.name))};
    addById(cloud, "/v2/machines/", std::string(item.cloud_id), parts.machines);
    for (const Resource& part : item.resources) {
      if (part.kind == "machine") addById(cloud, "/v2/machines/", part.id, parts.machines);
      if (part.kind == "disk") addById(cloud, "/v2/disks/", part.id, parts.disks);
    }
    return parts;
  }

  static void addById(Client& cloud, const std::string& path, const std::string& id, std::vector<Json>& objects) {
    const auto same = [&](const Json& object) { return object.at("id") == id; };
    if (id.empty() || std::any_of(objects.begin(), objects.end(), same)) return;
    if (std::optional<Json> object = cloud.find(path + id)) objects.push_back(std::move(*object));
  }
  // [look]

  /// Tells the host all that was found, before anything is changed.
  static void report(const Parts& parts, const Item& item, Results& out) {
    if (!parts.machines.empty()) {
      const Json& machine = parts.machines[0];
      out.machine(item, machine.at("id").get<std::string>(), machine.at("address").get<std::string>());
    }
    for (const Resource& part : resources(parts)) out.resource(item, part.kind, part.name, part.id);
  }

  static std::vector<Resource> resources(const Parts& parts) {
    std::vector<Resource> out;
    append(out, "machine", parts.machines);
    append(out, "disk", parts.disks);
    return out;
  }

  static Observation observationOf(const Parts& parts, std::string_view name, bool was_there) {
    Observation seen;
    if (parts.none()) return seen;
    seen.found = true;
    seen.name = name;
    seen.state = was_there ? State::kTerminating : State::kProvisioning;
    seen.resources = resources(parts);
    if (parts.machines.empty()) return seen;
    const Json& machine = parts.machines[0];
    seen.state = stateOf(machine);
    if (seen.state == State::kUnspecified) seen.detail = machine.at("state");
    seen.cloud_id = machine.at("id");
    seen.address = machine.at("address");
    return seen;
  }

  /// All that carries the mark of this controller, by the machine's name.
  static std::map<std::string, Parts> everything(Client& cloud, const Call& call) {
    const std::string query = "?label=vcc:" + std::string(call.vccId());
    std::map<std::string, Parts> all;
    for (Json& machine : cloud.list("/v2/machines" + query)) {
      const std::string name = machine.at("name");
      all[name].machines.push_back(std::move(machine));
    }
    for (Json& disk : cloud.list("/v2/disks" + query)) {
      std::string name = disk.at("name");
      if (name.size() > kDiskSuffix.size()) name.resize(name.size() - kDiskSuffix.size());
      all[name].disks.push_back(std::move(disk));
    }
    return all;
  }

  static std::string endpoint(std::string_view catalog_entry) {
    const Json entry = parseObject(catalog_entry, "catalog entry");
    const auto text = textOf(entry, "tiny_endpoint", "/catalog_entry");
    if (!text) throw invalid("/catalog_entry/tiny_endpoint", "is missing; set it in the VPN catalog");
    return *text;
  }

  Client client(const Call& call) const { return {http_, session_, call, endpoint(call.catalogEntry())}; }

  const Http http_;
  const Session session_;
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.id = VCP_LITERAL("com.example.tiny");
  info.provider = VCP_LITERAL("tiny");
  info.display_name = VCP_LITERAL("Tiny cloud");
  info.license = VCP_LITERAL("Apache-2.0");
  info.version = VCP_LITERAL("1.0+20261123");
  info.idempotency = VCP_IDEMPOTENCY_LOOKUP;
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.concurrency = 8;
  info.max_batch = 10;
  info.max_observe = 100;
  info.settle_ms = 10'000;
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace tiny

VCP_PLUGIN(tiny::Tiny, tiny::kInfo);

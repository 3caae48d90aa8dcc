// SPDX-License-Identifier: Apache-2.0
// The reference driver of the suite's own tests: two requests and a power switch make a machine, on a cloud without
// tokens; data disks beside it. Option "mutant" gives it one defect, which mutants_test.cpp expects the suite to find.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "vcp/plugin/cpp/http.h"
#include "vcp/plugin/cpp/json.h"
#include "vcp/plugin/cpp/plugin.h"

namespace harbor {

using namespace vcp::plugin;

constexpr char kSchema[] = R"({"type":"object","properties":{"size":{"type":"string"},
"volumes":{"type":"array","x-vcp-disks":true},"access_key":{"type":"string","x-vcp-secret":true}}})";

class Harbor final : public Driver, public Listing, public Power, public Disks {
 public:
  Harbor(Host host, std::string_view config)
      : host_(host), http_(host), mutant_(parseObject(config, "config").at("options").value("mutant", "")) {}

  std::string_view schema() const override {
    if (!is("changing_schema")) return kSchema;
    changing_ = std::string(kSchema) + std::string(++calls_, ' ');
    return changing_;
  }

  void validate(std::string_view cloud_params, std::string_view) override {
    const Json params = parseObject(cloud_params, "cloud_params");
    try {
      integerOf(params, "size", "/cloud_params", 1, 100);
    } catch (const Error&) {
      if (is("no_pointer")) throw Error(Code::kInvalidArgument, Outcome::kNotApplied, "size is wrong");
      throw;
    }
  }

  void probe(const Call& call) override {
    while (is("hangs")) ++calls_;
    send(call, "GET", "servers?name=none");
  }

  void create(const Call& call, std::string_view, const Items& items, Results& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] { createOne(call, item, out); });
    }
  }

  void destroy(const Call& call, const Items& items, Results& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] { destroyOne(call, item, out); });
    }
  }

  void power(const Call& call, bool on, const Items& items, Results& out) override {
    for (const Item& item : items) {
      out.guard(item, [&] {
        const std::vector<Json> servers = find(call, "servers", std::string(item.name));
        if (servers.empty() && is("power_absent_done")) return out.done(item);
        if (servers.empty()) {
          throw Error(Code::kNotFound, Outcome::kNotApplied, "server " + std::string(item.name) + " does not exist");
        }
        const std::string state = servers[0].at("power").get<std::string>();
        const bool is_on = state == "up" || state == "booting";
        if (is("crashes") && !on && !is_on) std::abort();
        if (is_on != on) setPower(call, servers[0], on);
        out.done(item);
      });
    }
  }

  void observe(const Call& call, const Items& items, Observations& out) override {
    if (is("loses_memory")) static_cast<void>(new Observation);
    if (is("prints")) std::printf("observing\n");
    for (const Item& item : items) {
      try {
        const Observation seen = observeOne(call, item);
        out.observed(item, seen);
        if (is("answers_twice")) out.observed(item, seen);
      } catch (const Error& error) {
        if (is("absent_on_error")) {
          out.observed(item, Observation{});
        } else {
          out.error(item, error);
        }
      }
    }
  }

  void list(const Call& call, Observations& out) override {
    Json page = 0;
    while (!page.is_null()) {
      Json answer;
      try {
        const std::string vcc = is("lists_foreign") ? "" : "vcc=" + std::string(call.vccId()) + "&";
        answer = send(call, "GET", "servers?" + vcc + "page=" + page.dump());
      } catch (const Error&) {
        if (is("complete_too_early")) break;
        throw;
      }
      for (const Json& server : answer.at("items")) {
        Observation seen;
        describe(server, seen);
        if (!out.listed(seen)) return;
      }
      page = answer.at("next");
    }
    out.complete();
  }

  void validateDisks(std::string_view cloud_params, std::string_view) override {
    integerOf(parseObject(cloud_params, "cloud_params"), "size", "/cloud_params", 1, 100);
  }

  void createDisks(const Call& call, std::string_view, const Items& disks, Results& out) override {
    for (const Item& disk : disks) {
      out.guard(disk, [&] {
        std::vector<Json> volumes;
        if (!is("disk_by_id")) volumes = findVolumes(call, disk);
        if (volumes.empty()) volumes.push_back(send(call, "POST", "volumes", {{"name", disk.name}}));
        out.machine(disk, idOf(volumes[0]), "");
        out.done(disk);
      });
    }
  }

  void destroyDisks(const Call& call, const Items& disks, Results& out) override {
    for (const Item& disk : disks) {
      out.guard(disk, [&] {
        const std::vector<Json> volumes = findVolumes(call, disk);
        if (volumes.empty()) return out.done(disk);
        if (is("takes_from_machine") && !holderOf(volumes[0]).empty()) hang(call, volumes[0], "");
        send(call, "DELETE", "volumes/" + idOf(volumes[0]));  // 409 when it is attached
        out.pending(disk, 0, "volume removed");
      });
    }
  }

  void attachDisks(const Call& call, const Attachments& attachments, Results& out) override {
    for (const Attachment& at : attachments) {
      out.guard(at.disk, [&] {
        const std::vector<Json> volumes = findVolumes(call, at.disk);
        const std::vector<Json> servers = find(call, "servers", std::string(at.machine.name));
        if (volumes.empty() || servers.empty()) {
          throw Error(Code::kNotFound, Outcome::kNotApplied, "volume or server does not exist");
        }
        if (is("attaches_blindly") || holderOf(volumes[0]) != idOf(servers[0])) {
          hang(call, volumes[0], idOf(servers[0]));
        }
        out.done(at.disk);
      });
    }
  }

  void detachDisks(const Call& call, const Attachments& attachments, Results& out) override {
    for (const Attachment& at : attachments) {
      out.guard(at.disk, [&] {
        const std::vector<Json> volumes = findVolumes(call, at.disk);
        const std::vector<Json> servers = find(call, "servers", std::string(at.machine.name));
        const bool held = !volumes.empty() && !servers.empty() && holderOf(volumes[0]) == idOf(servers[0]);
        if (held) hang(call, volumes[0], "");
        out.done(at.disk);
      });
    }
  }

  void observeDisks(const Call& call, const Items& disks, DiskObservations& out) override {
    for (const Item& disk : disks) {
      out.guard(disk, [&] {
        DiskObservation seen;
        for (const Json& volume : findVolumes(call, disk)) {
          seen.found = true;
          seen.cloud_id = idOf(volume);
          seen.machine_id = holderOf(volume);
          seen.state = !volume.at("ready").get<bool>() ? DiskState::kCreating
                       : seen.machine_id.empty()       ? DiskState::kAvailable
                                                       : DiskState::kAttached;
        }
        out.observed(disk, seen);
      });
    }
  }

 private:
  bool is(const char* name) const { return mutant_ == name; }

  Json send(const Call& call, const std::string& method, const std::string& path, const Json& body = nullptr) {
    std::string key = textOf(parseObject(call.credentials(), "credentials"), "access_key", "/credentials").value_or("");
    if (is("keeps_credentials")) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (kept_key_.empty()) kept_key_ = key;
      key = kept_key_;
    }
    if (is("logs_secret"))
      host_.log(Severity::kDebug, "HARBOR_REQUEST", method + " " + path, {{"authorization", "Bearer " + key}});
    HttpRequest request;
    request.method = method;
    request.url = "https://harbor.test/" + path;
    request.headers = {{"Authorization", "Bearer " + key}};
    if (!body.is_null()) request.body = body.dump();
    if (call.isCancelled()) throw Error(Code::kCancelled, Outcome::kNotApplied, "the call was cancelled");
    return read(request, http_.send(call, request));
  }

  Json read(const HttpRequest& request, const HttpResponse& response) const {
    const bool is_change = request.method != "GET";
    const std::string what = request.method + " " + request.url + ": ";
    if (response.status >= 200 && response.status < 300) {
      if (response.status == 204) return Json::object();
      Json body = Json::parse(response.body, nullptr, false);
      if (!body.is_object()) {
        throw Error(Code::kUnavailable, is_change ? Outcome::kUnknown : Outcome::kNotApplied,
                    what + "the answer cannot be read");
      }
      return body;
    }
    const auto refused = [&](Code code) {
      return Error(code, Outcome::kNotApplied, what + "refused with status " + std::to_string(response.status))
          .retryAfterMs(is("drops_retry_after") ? 0 : response.retry_after_ms);
    };
    switch (response.status) {
      case 401:
        throw refused(is("unclear_401") ? Code::kInternal : Code::kUnauthenticated);
      case 403:
        throw refused(Code::kPermissionDenied);
      case 404:
        throw refused(Code::kNotFound);
      case 409:
        throw refused(Code::kFailedPrecondition);
      case 429:
        throw refused(Code::kUnavailable);
      default:
        break;
    }
    if (response.status < 500) throw refused(Code::kInvalidArgument);
    throw Error(Code::kUnavailable, is_change ? Outcome::kUnknown : Outcome::kNotApplied,
                what + "the cloud failed with status " + std::to_string(response.status));
  }

  std::vector<Json> find(const Call& call, const std::string& kind, const std::string& name) {
    const Json answer = send(call, "GET", kind + "?name=" + name);
    return answer.at("items").get<std::vector<Json>>();
  }

  void setPower(const Call& call, const Json& server, bool on) {
    send(call, "PUT", "servers/" + idOf(server) + "/power", {{"on", on}});
  }

  std::vector<Json> findVolumes(const Call& call, const Item& disk) {
    return find(call, "volumes", std::string(disk.name));
  }

  static std::string holderOf(const Json& volume) { return volume.at("server").get<std::string>(); }

  void hang(const Call& call, const Json& volume, const std::string& server) {
    send(call, "PUT", "volumes/" + idOf(volume), {{"server", server}});
  }

  static std::string idOf(const Json& thing) { return thing.at("id").get<std::string>(); }

  static std::string diskName(const Item& item) { return std::string(item.name) + "-disk"; }

  Json makeServer(const Call& call, const Item& item) {
    try {
      return send(call, "POST", "servers", {{"name", item.name}, {"vcc", call.vccId()}, {"label", item.display_name}});
    } catch (const Error& error) {
      if (is("retries_inside") && error.outcome() == Outcome::kUnknown) {
        return send(call, "POST", "servers", {{"name", item.name}, {"vcc", call.vccId()}});
      }
      if (is("denies")) throw Error(error.code(), Outcome::kNotApplied, error.message());
      throw;
    }
  }

  /// Tries on although it was told to stop.
  void insist(const Call& call) {
    HttpRequest request;
    request.url = "https://harbor.test/servers";
    for (int i = 0; call.isCancelled() && i < 5; ++i) {
      try {
        http_.send(call, request);
      } catch (const Error&) {  // again
      }
    }
  }

  void createOne(const Call& call, const Item& item, Results& out) {
    if (is("ignores_cancel")) insist(call);
    checkState(item);
    std::vector<Json> servers;
    if (!is("never_by_name") || !item.cloud_id.empty()) servers = find(call, "servers", std::string(item.name));
    if (servers.empty() && !item.cloud_id.empty()) {
      throw Error(Code::kDataLoss, Outcome::kNotApplied,
                  "server " + std::string(item.name) + " is gone before it was whole");
    }
    if (servers.empty()) {
      const Json server = makeServer(call, item);
      out.machine(item, idOf(server), server.at("address").get<std::string>());
      out.driverState(item, is("long_state") ? std::string(5000, '1') : "1 server");
      if (!is("two_changes")) return out.pending(item, 0, is("bad_utf8") ? "server \xff\xfe" : "server made");
      return makeDisk(call, item, idOf(server), out);
    }
    out.machine(item, idOf(servers[0]), servers[0].at("address").get<std::string>());
    const std::vector<Json> disks = find(call, "disks", diskName(item));
    if (disks.empty()) return makeDisk(call, item, idOf(servers[0]), out);
    if (!is("hides_disk")) out.resource(item, "disk", diskName(item), idOf(disks[0]));
    if (!disks[0].at("ready").get<bool>()) {
      if (is("no_answer")) return;
      return out.pending(item, is("long_pause") ? 5'000'000 : 20'000, "the disk is copied");
    }
    const std::string state = servers[0].at("power").get<std::string>();
    if (state == "up" || state == "booting") return out.done(item);
    if (is("remembers") && !remembered(item)) return out.pending(item, 20'000, "");
    setPower(call, servers[0], true);
    out.pending(item, 1000, "power on");
  }

  void makeDisk(const Call& call, const Item& item, const std::string& server, Results& out) {
    if (is("remembers")) {
      const std::lock_guard<std::mutex> lock(mutex_);
      memory_[std::string(item.name)] = true;
    }
    const Json disk = send(call, "POST", "disks", {{"name", diskName(item)}, {"server", server}});
    if (!is("hides_disk")) out.resource(item, "disk", diskName(item), idOf(disk));
    if (is("sleeps")) host_.sleep(call, 30'000, Outcome::kApplied);
    out.pending(item, 20'000, "the disk is copied");
  }

  bool remembered(const Item& item) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return memory_.count(std::string(item.name)) > 0;
  }

  /// What was reported is found in the cloud as well, so a state that cannot be read does no harm.
  void checkState(const Item& item) const noexcept {
    if (is("trusts_state") && !item.driver_state.empty()) static_cast<void>(std::stoi(std::string(item.driver_state)));
  }

  void destroyOne(const Call& call, const Item& item, Results& out) {
    try {
      for (const Json& server : find(call, "servers", std::string(item.name))) {
        const std::string state = server.at("power").get<std::string>();
        if (state == "up" || state == "booting") {
          setPower(call, server, false);
          return out.pending(item, 1000, "power off");
        }
        if (state == "stopping") return out.pending(item, 2000, "going off");
        send(call, "DELETE", "servers/" + idOf(server), {{"with_volumes", is("wipes_data_disk")}});
        return out.pending(item, 0, "server removed");
      }
      if (is("leaks_disk")) return out.done(item);
      for (const Json& disk : find(call, "disks", diskName(item))) {
        send(call, "DELETE", "disks/" + idOf(disk));
        return out.pending(item, 0, "disk removed");
      }
    } catch (const Error& error) {
      if (is("done_on_500") && error.code() == Code::kUnavailable && error.outcome() == Outcome::kUnknown)
        return out.done(item);
      throw;
    }
    out.resource(item, "disk", diskName(item), "");
    out.done(item);
  }

  static void describe(const Json& server, Observation& seen) {
    static const std::map<std::string, State> kStates{{"new", State::kProvisioning},
                                                      {"booting", State::kProvisioning},
                                                      {"stopping", State::kStopping},
                                                      {"up", State::kRunning},
                                                      {"off", State::kStopped}};
    seen.found = true;
    seen.name = server.at("name").get<std::string>();
    seen.cloud_id = idOf(server);
    seen.address = server.at("address").get<std::string>();
    seen.state = kStates.at(server.at("power").get<std::string>());
  }

  Observation observeOne(const Call& call, const Item& item) {
    Observation seen;
    if ((is("observe_by_id") || is("never_by_name")) && item.cloud_id.empty()) return seen;
    const std::vector<Json> servers = find(call, "servers", std::string(item.name));
    if (!servers.empty()) describe(servers[0], seen);
    if (!servers.empty() && is("disk_is_part")) {
      for (const Json& id : servers[0].at("volumes")) seen.resources.push_back({"volume", "", id.get<std::string>()});
    }
    if (servers.empty() && is("leaks_disk")) return seen;
    for (const Json& disk : find(call, "disks", diskName(item))) {
      if (!seen.found) seen.state = item.cloud_id.empty() ? State::kProvisioning : State::kTerminating;
      seen.found = true;
      seen.resources.push_back({"disk", diskName(item), idOf(disk)});
    }
    return seen;
  }

  const Host host_;
  const Http http_;
  const std::string mutant_;
  mutable std::string changing_;
  mutable std::size_t calls_ = 0;
  std::mutex mutex_;  // guards the two below
  std::string kept_key_;
  std::map<std::string, bool> memory_;
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info{};
  info.provider = VCP_LITERAL("harbor");
  info.display_name = VCP_LITERAL("Reference driver, two requests");
  info.version = VCP_LITERAL("1.0+20261123");
  info.idempotency = VCP_IDEMPOTENCY_LOOKUP;
  info.existence = VCP_EXISTENCE_OBSERVED;
  info.concurrency = 4;
  info.max_batch = 1;
  info.max_observe = 10;
#ifdef HARBOR_HOT  // of a cloud with the option "hot"
  info.id = VCP_LITERAL("test.harbor-hot");
  info.attach_needs = VCP_ATTACH_ANY;
#else
  info.id = VCP_LITERAL("test.harbor");
  info.attach_needs = VCP_ATTACH_OFF;
#endif
  info.lookup_lag_ms = 2000;
  info.settle_ms = 60'000;
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace harbor

VCP_PLUGIN(harbor::Harbor, harbor::kInfo);

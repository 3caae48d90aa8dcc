// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

namespace vcc::sim {
namespace {

using Json = nlohmann::json;

/// An object whose members must all be asked for.
class Reader {
 public:
  Reader(Json json, std::string where) : json_(std::move(json)), where_(std::move(where)) {
    if (!json_.is_object()) throw std::runtime_error(where_ + ": is not a JSON object");
  }
  template <class T>
  T get(const char* key, T otherwise) {
    known_.insert(key);
    const auto found = json_.find(key);
    if (found == json_.end()) return otherwise;
    try {
      return found->get<T>();
    } catch (const Json::exception&) {
      throw std::runtime_error(where_ + ": member '" + key + "' has another type");
    }
  }
  template <class T>
  T need(const char* key) {
    if (!json_.contains(key)) throw std::runtime_error(where_ + ": member '" + key + "' is missing");
    return get<T>(key, T());
  }
  Reader below(const char* key) { return {get<Json>(key, Json::object()), where_ + ", " + key}; }
  bool has(const char* key) const { return json_.contains(key); }
  void end() const {
    for (const auto& [key, value] : json_.items()) {
      if (!known_.contains(key)) throw std::runtime_error(where_ + ": member '" + key + "' is unknown");
    }
  }

 private:
  Json json_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
};

Reader readFile(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error(path.string() + ": cannot be read");
  return {Json::parse(in, nullptr, false), path.string()};
}

CloudSpec readCloud(const std::filesystem::path& path) {
  Reader in = readFile(path);
  CloudSpec spec;
  spec.name = path.stem().string();
  static_cast<void>(in.get<std::string>("about", ""));
  spec.driver = in.need<std::string>("driver");
  spec.cloud = in.need<std::string>("cloud");
  spec.origin = in.need<std::string>("origin");
  spec.secret = in.need<std::string>("secret");
  spec.disks = in.get<std::string>("disks", "");
  spec.options = in.get<Json>("options", Json::object()).dump();
  spec.accounts = in.need<decltype(spec.accounts)>("accounts");
  spec.params = in.get<decltype(spec.params)>("params", {});
  spec.unique_names = in.get("unique_names", false);
  for (const Json& refusal : in.get<std::vector<Json>>("refusals", {})) {
    spec.refusals.push_back({refusal.at("status").get<int>(), refusal.at("body").dump()});
  }
  spec.auth = in.get<std::string>("auth", "");
  for (const Json& command : in.get<std::vector<Json>>("vanish", {})) {
    spec.vanish.push_back({command.at("method").get<std::string>(), command.at("path").get<std::string>(),
                           command.value("body", Json()).is_null() ? "" : command.at("body").dump()});
  }
  in.end();
  return spec;
}

Scenario readScenario(const std::filesystem::path& file) {
  Reader in = readFile(file);
  Scenario out;
  out.name = file.stem().string();
  static_cast<void>(in.need<std::string>("about"));
  for (const auto& cloud : in.need<std::vector<std::string>>("clouds")) {
    out.clouds.push_back(readCloud(file.parent_path().parent_path().parent_path() / "clouds" / (cloud + ".json")));
  }
  out.minutes = in.get("minutes", out.minutes);
  out.requests = in.get("requests", out.requests);
  out.most_nodes = in.get("most_nodes", out.most_nodes);
  out.weights = in.need<decltype(out.weights)>("weights");
  Reader network = in.below("network");
  NetworkFaults& faults = out.network;
  faults.refused = network.get("refused", 0.0);
  faults.lost_request = network.get("lost_request", 0.0);
  faults.lost_answer = network.get("lost_answer", 0.0);
  faults.late = network.get("late", 0.0);
  faults.throttle = network.get("throttle", 0.0);
  faults.broken = network.get("broken", 0.0);
  faults.html = network.get("html", 0.0);
  faults.refusal = network.get("refusal", 0.0);
  faults.revoked = network.get("revoked", 0.0);
  network.end();
  out.crash_at_flush = in.get("crash_at_flush", 0.0);
  out.crashes_per_minute = in.get("crashes_per_minute", 0.0);
  out.stops_per_minute = in.get("stops_per_minute", 0.0);
  out.takeovers_per_minute = in.get("takeovers_per_minute", 0.0);
  out.jumps_per_minute = in.get("jumps_per_minute", 0.0);
  out.longest_down_s = in.get("longest_down_s", out.longest_down_s);
  out.longest_jump_s = in.get("longest_jump_s", out.longest_jump_s);
  out.vanishes_per_minute = in.get("vanishes_per_minute", 0.0);
  out.purged_grants_per_minute = in.get("purged_grants_per_minute", 0.0);
  out.hosts = in.get("hosts", false);
  out.host_unreachable = in.get("host_unreachable", 0.0);
  out.host_lost = in.get("host_lost", 0.0);
  out.store_failure = in.get("store_failure", 0.0);
  out.sqlite = in.get("sqlite", false);
  out.disk_full = in.get("disk_full", 0.0);
  out.sync_fails = in.get("sync_fails", 0.0);
  out.allowed_errors = in.get("allowed_errors", out.allowed_errors);
  in.end();
  return out;
}

}  // namespace

RunFile readRuns(const std::string& path) {
  const std::filesystem::path file(path);
  Reader in = readFile(file);
  if (!in.has("seeds")) return {readScenario(file), {}};
  static_cast<void>(in.need<std::string>("about"));
  const auto scenario = in.need<std::string>("scenario");
  RunFile out;
  out.seeds = in.need<std::vector<std::uint64_t>>("seeds");
  in.end();
  out.scenario = readScenario(file.parent_path().parent_path() / "scenarios" / (scenario + ".json"));
  return out;
}

}  // namespace vcc::sim

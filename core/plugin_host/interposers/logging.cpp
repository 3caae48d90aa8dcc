// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/logging.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/scrubber.h"
#include "model/json_tree.h"
#include "model/records.h"
#include "plugin_host/interposers/scrubbing.h"

namespace vcc {
namespace {

constexpr char kParams[] = "cloud_params";

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// A net below the schema: an administrator's catalog may have keys that no schema marks.
bool isNamedLikeSecret(const std::string& key) {
  constexpr std::array<std::string_view, 7> kWords = {"password", "passwd",     "secret",   "token",
                                                      "_key",     "credential", "user_data"};
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return key.find(word) != key.npos; });
}

void redact(YamlValue& value, const DriverInfo& info, bool known_only) {
  for (YamlValue& item : value.items) redact(item, info, false);
  for (auto& [key, member] : value.members) {
    const bool unknown = known_only && !contains(info.clear_keys, key);
    if (contains(info.secret_keys, key) || unknown || (isNamedLikeSecret(key) && !contains(info.clear_keys, key))) {
      member = YamlValue::scalar(kScrubbed);
    } else {
      redact(member, info, false);
    }
  }
}

std::string_view itemStateName(ItemState state) {
  switch (state) {
    case ItemState::kOpen:
      return "OPEN";
    case ItemState::kPending:
      return "PENDING";
    case ItemState::kDone:
      return "DONE";
    case ItemState::kFailed:
      return "ERROR";
  }
  return "?";
}

/// What was said of an item.
std::string describe(const ItemResult& result, const Scrubber& scrubber) {
  std::string text(itemStateName(result.state));
  if (result.state == ItemState::kPending) text += " retry_after_ms=" + std::to_string(result.retry_after_ms);
  if (!result.reason.empty()) text += " reason=" + result.reason;
  if (result.state == ItemState::kFailed) text += " (" + result.error.toString() + ")";
  if (!result.address.empty()) text += " address=" + result.address;
  for (const Resource& part : result.resources) text += " " + part.kind + ":" + part.name + "=" + part.id;
  return scrubber.scrub(text);
}

std::string describe(const Observation& seen, const Scrubber& scrubber) {
  std::string text = seen.found ? std::string(machineStateName(seen.state)) : std::string("not found");
  if (!seen.error.ok()) text = "not seen (" + seen.error.toString() + ")";
  if (!seen.address.empty()) text += " address=" + seen.address;
  if (!seen.detail.empty()) text += " detail=" + seen.detail;
  if (!seen.holder.empty()) text += (seen.attached ? " attached to " : " held by ") + seen.holder;
  for (const Resource& part : seen.resources) text += " " + part.kind + ":" + part.name + "=" + part.id;
  return scrubber.scrub(text);
}

std::string_view kindName(const DriverRequest& request) {
  const bool disks = request.of_disks || (request.context && request.context->kind == UnitKind::kStorage);
  return disks ? "disks" : "machines";
}

}  // namespace

std::string redactedJson(const std::string& json, const DriverInfo& info, bool known_only) {
  auto tree = treeFromJson(json);
  if (!tree.ok()) return "(not JSON)";
  if (known_only && tree->find(kParams) != nullptr) {
    for (auto& [key, member] : tree->members) redact(member, info, key == kParams);
  } else {
    redact(*tree, info, known_only);
  }
  return toJson(*tree);
}

LoggingDriver::LoggingDriver(std::shared_ptr<Driver> lower, std::string instance, const Clock& clock, Logger& log,
                             bool details)
    : Interposer(std::move(lower)), instance_(std::move(instance)), clock_(clock), log_(log), details_(details) {}

DriverAnswer LoggingDriver::intercept(const DriverRequest& request) {
  // Reading the credentials costs more than the rest of this layer, so it is put off until a text needs it.
  const Scrubber details_scrubber = details_ ? secretsOf(request, info()) : Scrubber();
  if (details_) logAsked(request, details_scrubber);
  DriverRequest watched = request;
  std::size_t listed = 0;
  const std::function<void(const Observation&)> count = [&](const Observation& seen) {
    ++listed;
    (*request.visit)(seen);
  };
  if (request.call == DriverCall::kList) watched.visit = &count;
  const std::int64_t began = clock_.monoMs();
  DriverAnswer answer = passOn(watched);
  const std::int64_t took_ms = clock_.monoMs() - began;
  if (details_) logItems(request, answer, details_scrubber);

  const Status& status = answer.firstError();
  std::string text = status.toString();
  if (!status.ok()) text = (details_ ? details_scrubber : secretsOf(request, info())).scrub(text);
  const CallContext none;
  const CallContext& call = request.context ? *request.context : none;
  const std::initializer_list<LogField> fields = {
      {"driver", instance_},     {"call", driverCallName(request.call)},
      {"of", kindName(request)}, {"op", call.op_id},
      {"attempt", call.attempt}, {"items", request.call == DriverCall::kList ? listed : request.size()},
      {"took_ms", took_ms},      {"status", text}};
  if (details_) {
    log_.info("DRIVER_CALL", "", fields);
  } else {
    log_.debug("DRIVER_CALL", "", fields);
  }
  return answer;
}

void LoggingDriver::logAsked(const DriverRequest& request, const Scrubber& scrubber) {
  std::string text;
  if (request.spec != nullptr) text += "spec=" + redactedJson(*request.spec, info(), true);
  const std::string* entry = request.context ? &request.context->catalog_entry : request.catalog_entry;
  if (entry != nullptr && !entry->empty()) text += " catalog_entry=" + redactedJson(*entry, info(), false);
  if (request.call == DriverCall::kPower || request.call == DriverCall::kAttach) text += request.on ? " on" : " off";
  for (std::size_t i = 0; i < request.size(); ++i) {
    const MachineRef& ref = (*request.items)[i];
    text += " [" + std::to_string(ref.index) + "] " + ref.name + (ref.cloud_id.empty() ? "" : "=" + ref.cloud_id);
    if (ref.machine) text += "@" + ref.machine->name + "=" + ref.machine->cloud_id;
  }
  log_.info("DRIVER_ASKED", scrubber.scrub(text),
            {{"driver", instance_},
             {"call", driverCallName(request.call)},
             {"op", request.context ? request.context->op_id : std::string()}});
}

void LoggingDriver::logItems(const DriverRequest& request, const DriverAnswer& answer, const Scrubber& scrubber) {
  const auto line = [&](std::size_t position, const std::string& cloud_id, const std::string& state) {
    const MachineRef& ref = (*request.items)[position];
    log_.info("DRIVER_ITEM", "",
              {{"driver", instance_},
               {"call", driverCallName(request.call)},
               {"op", request.context->op_id},
               {"item", ref.index},
               {"name", ref.name},
               {"cloud_id", scrubber.scrub(cloud_id)},
               {"state", state}});
  };
  for (std::size_t i = 0; i < std::min(answer.results.size(), request.size()); ++i) {
    line(i, answer.results[i].cloud_id, describe(answer.results[i], scrubber));
  }
  for (std::size_t i = 0; i < std::min(answer.seen.size(), request.size()); ++i) {
    line(i, answer.seen[i].cloud_id, describe(answer.seen[i], scrubber));
  }
}

}  // namespace vcc

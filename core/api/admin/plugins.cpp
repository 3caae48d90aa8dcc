// SPDX-License-Identifier: Apache-2.0
#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "base/encoding.h"
#include "plugin_host/refusals.h"

namespace vcc {
namespace {

void writeTexts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.beginArray();
  for (const std::string& text : texts) json.string(text);
  json.endArray();
}

void writeInfo(JsonWriter& json, const DriverInfo& info) {
  json.key("id").string(info.id);
  json.key("display_name").string(info.display_name);
  json.key("version").string(info.version);
  json.key("abi").string(info.abi);
  json.key("capabilities").beginArray();
  if (info.can_power) json.string("power");
  if (info.can_list) json.string("list");
  if (info.needs_address) json.string("needs_address");
  if (info.simulated_hosts) json.string("simulated_hosts");
  json.endArray();
  json.key("extensions");
  writeTexts(json, info.extensions);
  json.key("idempotency").string(idempotencyName(info.idempotency));
  json.key("existence").string(info.existence == Existence::kAsserted ? "asserted" : "observed");
  json.key("concurrency").integer(info.concurrency);
  json.key("max_batch").integer(info.max_batch);
  json.key("token_ttl_ms").integer(info.token_ttl_ms);
  json.key("lookup_lag_ms").integer(info.lookup_lag_ms);
  json.key("settle_ms").integer(info.settle_ms);
}

void writePlugin(JsonWriter& json, const DriverSlot& slot) {
  json.beginObject();
  json.key("instance").string(slot.instance);
  json.key("file").string(slot.file);
  json.key("providers");
  writeTexts(json, slot.providers);
  json.key("state").string(slot.driver ? "loaded" : "refused");
  json.key("path").string(slot.path);
  json.key("sha256").string(slot.sha256);
  if (slot.driver) {
    writeInfo(json, slot.driver->info());
  } else {
    json.key("reason_id").string(slot.refusal_id);
    json.key("reason").string(slot.refusal.message());
    json.key("remedy").string(remedyFor(slot.refusal_id));
  }
  json.endObject();
}

}  // namespace

Result<HttpAnswer> listPlugins(const AdminSeams& seams, const ApiRequest& /*request*/) {
  JsonWriter json;
  json.beginObject().key("plugins").beginArray();
  for (const DriverSlot* slot : seams.drivers.slots()) writePlugin(json, *slot);
  json.endArray().endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> loadPlugin(const AdminSeams& seams, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const JsonBody body, request.json());
  VCC_ASSIGN_OR_RETURN(const std::string name, body.text("name", ""));
  seams.log.info("ADMIN_PLUGIN_LOAD", "a driver is to be loaded",
                 {{"name", cleanUtf8(name, 64)}, {"by", request.peer}});
  VCC_ASSIGN_OR_RETURN(const std::vector<DriverSlot> outcomes, seams.load_plugin(name));
  JsonWriter json;
  json.beginObject().key("plugins").beginArray();
  for (const DriverSlot& slot : outcomes) writePlugin(json, slot);
  json.endArray().endObject();
  return HttpAnswer{200, json.take(), {}};
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "api/admin/admin_api.h"
#include "api/json_writer.h"
#include "base/version.h"

namespace vcc {
namespace {

void writeDriver(JsonWriter& json, const DriverSlot& slot) {
  json.beginObject();
  json.key("instance").string(slot.instance);
  json.key("providers").beginArray();
  for (const std::string& provider : slot.providers) json.string(provider);
  json.endArray();
  const bool degraded = slot.health && slot.health->isDegraded();
  json.key("state").string(!slot.driver ? "refused" : degraded ? "degraded" : "loaded");
  json.key("version").string(slot.driver ? slot.driver->info().version : "");
  json.key("simulated_hosts").boolean(slot.driver && slot.driver->info().simulated_hosts);
  json.key("reason_id").string(slot.refusal_id);
  json.key("reason").string(degraded ? "it does not return from its calls; see DRIVER_CALL_STUCK in the log"
                                     : slot.refusal.message());
  json.endObject();
}

void writeEngine(JsonWriter& json, const EngineStatus& engine) {
  json.beginObject();
  json.key("fence").integer(engine.fence);
  json.key("nodes").integer(engine.nodes);
  json.key("unsettled").integer(engine.unsettled);
  json.key("open_ops").integer(engine.open_ops);
  json.key("on_older_entry").integer(engine.on_older_entry);
  json.key("jobs").integer(engine.jobs);
  json.key("queue").integer(engine.queue);
  json.key("watched").integer(engine.watched);
  json.endObject();
}

void writeList(JsonWriter& json, const std::vector<std::string>& texts) {
  json.beginArray();
  for (const std::string& text : texts) json.string(text);
  json.endArray();
}

}  // namespace

void writeConditions(JsonWriter& json, const AdminSeams& seams, const std::string& vcid) {
  json.key("conditions").beginArray();
  for (const Condition& condition : seams.conditions()) {
    if (!vcid.empty() && !condition.vcids.contains(vcid)) continue;
    json.beginObject();
    json.key("about").string(condition.about);
    json.key("text").string(condition.text);
    json.key("since_ms").integer(condition.since);
    json.endObject();
  }
  json.endArray();
}

std::string statusJson(const AdminSeams& seams) {
  const ProcessFacts facts = seams.facts();
  const Status health = seams.store.health();
  JsonWriter json;
  json.beginObject();
  json.key("version").string(kVersion);
  json.key("git_tag").string(kGitTag);
  json.key("pid").integer(facts.pid);
  json.key("uptime_s").integer((seams.store.now() - facts.started_ms) / 1000);
  json.key("vcc_id").string(facts.vcc_id);
  json.key("data_dir").string(facts.data_dir);
  json.key("evaluation").boolean(facts.evaluation);
  json.key("simulated_hosts").boolean(facts.simulated_hosts);
  json.key("serf").string(facts.serf);
  json.key("store").beginObject();
  json.key("healthy").boolean(health.ok());
  json.key("reason").string(health.message());
  json.endObject();
  json.key("engine");
  writeEngine(json, seams.engine());
  writeConditions(json, seams, "");
  json.key("drivers").beginArray();
  for (const DriverSlot* slot : seams.drivers.slots()) writeDriver(json, *slot);
  json.endArray();
  json.key("catalog_providers");
  writeList(json, seams.catalog()->providers());
  json.key("listeners");
  writeList(json, facts.listeners);
  json.endObject();
  return json.take();
}

}  // namespace vcc

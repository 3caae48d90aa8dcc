// SPDX-License-Identifier: Apache-2.0
#include "api/admin/admin_api.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "engine/sweep_records.h"

namespace vcc {
namespace {

void writePlace(JsonWriter& json, const SweepPlace& place, bool has_driver) {
  json.beginObject();
  json.key("instance").string(place.instance);
  json.key("network").string(place.network);
  json.key("grant").string(place.grant_id);
  json.key("driver").boolean(has_driver);
  json.key("used_ms").integer(place.used_at);
  json.key("tried_ms").integer(place.tried_at);
  json.key("swept_ms").integer(place.swept_at);
  json.key("fault").string(place.fault.text);
  json.endObject();
}

void writeStray(JsonWriter& json, const Stray& stray) {
  json.beginObject();
  json.key("id").string(stray.stray_id);
  json.key("instance").string(stray.instance);
  json.key("name").string(stray.name);
  json.key("cloud_id").string(stray.cloud_id);
  json.key("address").string(stray.address);
  json.key("observed").string(machineStateName(stray.observed));
  json.key("first_seen_ms").integer(stray.first_seen_at);
  json.key("last_seen_ms").integer(stray.last_seen_at);
  json.key("sweeps").integer(stray.sweeps);
  json.key("left").string(stray.left);
  json.key("deleted_by").string(stray.want_by);
  json.key("fault").string(stray.fault.text);
  json.key("resources").beginArray();
  for (const Resource& part : stray.resources) {
    json.beginObject();
    json.key("kind").string(part.kind).key("name").string(part.name).key("id").string(part.id);
    json.endObject();
  }
  json.endArray();
  json.endObject();
}

}  // namespace

Result<HttpAnswer> showSweep(const AdminSeams& seams, const ApiRequest& /*request*/) {
  JsonWriter json;
  json.beginObject();
  seams.store.read([&](const ReadTx& tx) {
    json.key("now_ms").integer(tx.now());
    json.key("places").beginArray();
    tx.sweepPlaces().scan([&](const SweepPlace& place) {
      const DriverSlot* slot = seams.drivers.byInstance(place.instance);
      writePlace(json, place, slot != nullptr && slot->driver != nullptr);
      return true;
    });
    json.endArray();
    json.key("objects").beginArray();
    tx.strays().scan([&](const Stray& stray) {
      writeStray(json, stray);
      return true;
    });
    json.endArray();
  });
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> sweepNow(const AdminSeams& seams, const ApiRequest& request) {
  const std::int64_t asked = seams.store.now();
  seams.log.info("ADMIN_SWEEP", "an administrator asked for a sweep", {{"by", request.peer}});
  seams.looks.sweep_now();
  JsonWriter json;
  json.beginObject().key("asked_ms").integer(asked).endObject();
  return HttpAnswer{200, json.take(), {}};
}

Result<HttpAnswer> deleteStray(const AdminSeams& seams, const ApiRequest& request) {
  const std::string& id = request.params[0];
  VCC_ASSIGN_OR_RETURN(const JsonBody body, JsonBody::parse(request.body));
  VCC_ASSIGN_OR_RETURN(const std::string name, body.text("name", ""));
  const std::string by = "administrator (" + request.peer + ")";
  VCC_RETURN_IF_ERROR(askStrayDeletion(seams.store, seams.facts().vcc_id, id, name, by));
  seams.log.warn("ADMIN_OBJECT_DELETED", "an administrator asked to delete an object that no record knows",
                 {{"id", id}, {"name", name}, {"by", request.peer}});
  seams.looks.visit_stray(id);
  return HttpAnswer{200, "{}", {}};
}

}  // namespace vcc

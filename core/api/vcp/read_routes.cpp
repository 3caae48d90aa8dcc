// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/json_writer.h"
#include "api/vcp/render_cache.h"
#include "api/vcp/vcp_api.h"
#include "base/encoding.h"
#include "base/version.h"

namespace vcc {
namespace {

/// Shared by the handlers below.
struct Reads {
  explicit Reads(VcpSeams s) : seams(std::move(s)) {}
  VcpSeams seams;
  RenderCache cache;

  RenderContext context() const { return {seams.vcc_id, seams.drivers, seams.log, seams.sealer}; }
};
using ReadsPtr = std::shared_ptr<Reads>;

HttpAnswer ok(std::string body) { return {200, std::move(body), {}}; }

HttpAnswer wrapped(std::string_view key, std::string_view text) {
  JsonWriter json;
  json.beginObject().key(key).string(text).endObject();
  return ok(json.take());
}

Result<HttpAnswer> health(const Reads& reads) {
  const Status health = reads.seams.store.health();
  if (!health.ok()) return unavailable("the store of the controller does not take changes: " + health.message());
  return wrapped("status", "ok");
}

HttpAnswer authority(const ApiRequest& request) {
  const Principal& who = request.caller.principal;
  JsonWriter json;
  json.beginObject();
  json.key("role").string(who.api_role == ApiRole::kReadOnly ? "readonly" : "fullaccess");
  json.key("user_name").string(who.user);
  json.key("user_role").string(who.user_role == UserRole::kSuper ? "super" : "regular");
  json.endObject();
  return ok(json.take());
}

HttpAnswer version(const Reads& reads) {
  JsonWriter json;
  json.beginObject().key("version").string(kVersion).key("git_tag").string(kGitTag);
  json.key("plugin").beginObject();
  for (const DriverSlot* slot : reads.seams.drivers.slots()) {
    if (!slot->driver) continue;
    for (const std::string& provider : slot->providers) json.key(provider).string(slot->driver->info().version);
  }
  json.endObject().endObject();
  return ok(json.take());
}

/// Every VC is shown as it is at one moment, not all of them as they are at the same one: a read keeps writers out, and
/// may have to render one VC at most.
HttpAnswer listVcs(Reads& reads, const Caller& caller) {
  struct Shown {
    std::int64_t vcno = 0;
    std::string vcid;
    std::shared_ptr<const RenderedVc> text;
  };
  std::vector<Shown> shown;
  const RenderContext context = reads.context();
  reads.seams.store.read([&](const ReadTx& tx) {
    shown.clear();
    tx.vcs().scan([&](const Vc& vc) {
      if (checkOwner(caller, vc).ok()) shown.push_back({vc.vcno, vc.vcid, reads.cache.find(vc, context)});
      return true;
    });
  });
  for (Shown& one : shown) {
    if (one.text) continue;
    reads.seams.store.read([&](const ReadTx& tx) {
      const Vc* vc = tx.vcs().find(one.vcid);
      const bool there = vc != nullptr && checkOwner(caller, *vc).ok();
      one.text = there ? reads.cache.get(tx, *vc, context) : nullptr;
    });
  }
  std::erase_if(shown, [](const Shown& one) { return one.text == nullptr; });
  std::sort(shown.begin(), shown.end(), [](const Shown& a, const Shown& b) { return a.vcno < b.vcno; });
  std::size_t bytes = 16;
  for (const Shown& one : shown) bytes += one.text->json.size() + 1;
  std::string body;
  body.reserve(bytes);
  body += "{\"vcs\":[";
  for (const Shown& one : shown) {
    if (body.back() != '[') body += ',';
    body += one.text->json;
  }
  body += "]}";
  return ok(std::move(body));
}

/// The VC in this view if the caller may see it.
Result<const Vc*> findVc(const ReadTx& tx, const Caller& caller, const std::string& vcid) {
  const Vc* vc = tx.vcs().find(vcid);
  if (vc == nullptr) return notFound("UnitGroup " + cleanUtf8(vcid, 64) + " does not exist");
  VCC_RETURN_IF_ERROR(checkOwner(caller, *vc));
  return vc;
}

Status noUnit(const std::string& vcid, const std::string& unit) {
  return notFound("unit " + cleanUtf8(unit, 64) + " does not exist in UnitGroup " + vcid);
}

/// The text of the VC that the path names; copied by who needs it when writers are let in again.
Result<std::shared_ptr<const RenderedVc>> findText(Reads& reads, const ApiRequest& request) {
  Result<std::shared_ptr<const RenderedVc>> text = internalError("the store did not read");
  reads.seams.store.read([&](const ReadTx& tx) {
    const Result<const Vc*> vc = findVc(tx, request.caller, request.params[0]);
    if (!vc.ok()) {
      text = vc.status();
    } else {
      text = reads.cache.get(tx, **vc, reads.context());
    }
  });
  return text;
}

Result<HttpAnswer> getVc(Reads& reads, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const auto text, findText(reads, request));
  return ok(text->json);
}

Result<HttpAnswer> getUnit(Reads& reads, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const auto text, findText(reads, request));
  const auto unit = text->units.find(request.params[1]);
  if (unit == text->units.end()) return noUnit(request.params[0], request.params[1]);
  return ok(text->json.substr(unit->second.text.offset, unit->second.text.length));
}

Result<HttpAnswer> findNode(const ReadTx& tx, const ApiRequest& request) {
  VCC_ASSIGN_OR_RETURN(const Vc* vc, findVc(tx, request.caller, request.params[0]));
  const Node* node = tx.nodes().find(request.params[2]);
  const Unit* unit = node == nullptr ? nullptr : tx.units().find(node->unit_id);
  if (unit == nullptr || unit->vcid != vc->vcid || unit->name != request.params[1]) {
    return notFound("node " + cleanUtf8(request.params[2], 64) + " does not exist in unit " +
                    cleanUtf8(request.params[1], 64) + " of UnitGroup " + vc->vcid);
  }
  return ok(renderNode(tx, *vc, *unit, *node));
}

Result<HttpAnswer> getNode(const Reads& reads, const ApiRequest& request) {
  Result<HttpAnswer> answer = internalError("the store did not read");
  reads.seams.store.read([&](const ReadTx& tx) { answer = findNode(tx, request); });
  return answer;
}

}  // namespace

std::vector<Route> vcpReadRoutes(const VcpSeams& seams) {
  const auto reads = std::make_shared<Reads>(seams);
  const auto on_health = [reads](const ApiRequest&) { return health(*reads); };
  return {
      // The client's start-up call. Reads work on a full disk, so this does too.
      {"GET", "", true, false, [](const ApiRequest&) -> Result<HttpAnswer> { return HttpAnswer{}; }},
      {"GET", "/", false, false, on_health},
      {"GET", "/health", false, false, on_health},
      {"GET", "/accounts/authority", true, false,
       [](const ApiRequest& request) -> Result<HttpAnswer> { return authority(request); }},
      {"GET", "/publickey", true, false,
       [reads](const ApiRequest&) -> Result<HttpAnswer> { return wrapped("publickey", reads->seams.public_key); }},
      {"GET", "/version", true, false, [reads](const ApiRequest&) -> Result<HttpAnswer> { return version(*reads); }},
      {"GET", "/vpn_catalog", true, false,
       [reads](const ApiRequest&) -> Result<HttpAnswer> {
         return ok("{\"vpn_catalog\":" + reads->seams.catalog()->wireJson() + "}");
       }},
      {"GET", "/vcs", true, false,
       [reads](const ApiRequest& request) -> Result<HttpAnswer> { return listVcs(*reads, request.caller); }},
      {"GET", "/vcs/{vcid}", true, false, [reads](const ApiRequest& request) { return getVc(*reads, request); }},
      {"GET", "/vcs/{vcid}/{unit}", true, false,
       [reads](const ApiRequest& request) { return getUnit(*reads, request); }},
      {"GET", "/vcs/{vcid}/{unit}/{node_id}", true, false,
       [reads](const ApiRequest& request) { return getNode(*reads, request); }},
  };
}

}  // namespace vcc

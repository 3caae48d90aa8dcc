// SPDX-License-Identifier: Apache-2.0
#include "engine/frozen_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "model/json_tree.h"
#include "secrets/sealed_records.h"

namespace vcc {

namespace {

/// Far more requests than machines are ever under way with; the map is then filled anew.
constexpr std::size_t kMostThawed = 4096;

std::string entryMark(std::string_view catalog_entry) {
  return "/" + hexEncode(sha256(std::string(catalog_entry))).substr(0, 16);
}

}  // namespace

std::string freeze(const FrozenRequest& request, const std::string& request_id, const Sealer& sealer) {
  const SecretString text(fmt::format(R"({{"spec":{},"catalog_entry":{}}})", request.spec, request.catalog_entry));
  return sealRequest(sealer, request_id, text.reveal());
}

Result<FrozenRequest> thaw(const Request& request, const Sealer& sealer) {
  VCC_ASSIGN_OR_RETURN(const SecretString text, openRequest(sealer, request));
  const auto tree = treeFromJson(text.reveal());
  const YamlValue* spec = tree.ok() && tree->isMap() ? tree->find("spec") : nullptr;
  const YamlValue* entry = spec != nullptr ? tree->find("catalog_entry") : nullptr;
  if (entry == nullptr || !spec->isMap() || !(entry->isMap() || entry->isNull())) {
    return dataLoss("the recorded request of a machine is damaged; restore the data folder from a backup");
  }
  return FrozenRequest{toJson(*spec), entry->isNull() ? std::string() : toJson(*entry)};
}

Result<std::shared_ptr<const FrozenRequest>> ThawedRequests::get(const Store& store, const Sealer& sealer,
                                                                 const std::string& request_id) {
  if (const auto known = by_id_.find(request_id); known != by_id_.end()) return known->second;
  Request request;
  store.read([&](const ReadTx& tx) {
    if (const Request* found = tx.requests().find(request_id)) request = *found;
  });
  VCC_ASSIGN_OR_RETURN(FrozenRequest thawed, thaw(request, sealer));
  if (by_id_.size() >= kMostThawed) by_id_.clear();
  return by_id_.emplace(request_id, std::make_shared<const FrozenRequest>(std::move(thawed))).first->second;
}

std::string scopeOf(std::string_view instance, std::string_view network, std::string_view fingerprint,
                    std::string_view catalog_entry) {
  return fmt::format("{}/{}/{}{}", instance, network, fingerprint, entryMark(catalog_entry));
}

bool isOnEntry(std::string_view scope, std::string_view catalog_entry) {
  constexpr auto kPartsOfStep1 = 3;
  return std::count(scope.begin(), scope.end(), '/') < kPartsOfStep1 || scope.ends_with(entryMark(catalog_entry));
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "engine/disk_claims.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/disk_ties.h"
#include "engine/lifecycle.h"
#include "model/json_tree.h"
#include "store/schema.h"

namespace vcc {

namespace {

constexpr std::size_t kMostDisks = 64;
constexpr std::size_t kLongestId = 256;
constexpr std::string_view kReference = "vcp:";
constexpr std::string_view kSpotSuffix = "_spot";

/// The provider whose disks a unit can attach: storage units name the base provider only (spec/sdk-cci 7.3, 7.7).
std::string_view baseProvider(std::string_view provider) {
  if (provider.ends_with(kSpotSuffix)) provider.remove_suffix(kSpotSuffix.size());
  return provider;
}

std::vector<std::string> splitAtColons(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = text.find(':'); end != std::string::npos; end = text.find(':', begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

Result<DiskWish> readWish(const std::string& text, const std::string& where) {
  DiskWish wish;
  wish.where = where;
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (text.empty() || text.size() > kLongestId || !printable) {
    return invalidArgument(
        fmt::format("{}: a disk is named by 1 to {} printable characters without blanks", where, kLongestId));
  }
  if (!text.starts_with(kReference)) {
    wish.volume_id = text;
    return wish;
  }
  const std::vector<std::string> parts = splitAtColons(text);
  if (parts.size() != 4 || parts[1].empty() || parts[2].empty() || parts[3].empty()) {
    return invalidArgument(where + ": a reference to a disk is vcp:<vcid>:<unit>:<disk_id>");
  }
  wish.vcid = parts[1];
  wish.unit = parts[2];
  wish.disk_id = parts[3];
  return wish;
}

/// The disk of this controller that a reference names.
Result<const Node*> referredDisk(Tx& tx, const Caller& caller, const DiskWish& wish) {
  const Vc* vc = tx.vcs().find(wish.vcid);
  if (!vc) return invalidArgument(fmt::format("{}: UnitGroup {} does not exist", wish.where, wish.vcid));
  VCC_RETURN_IF_ERROR(checkOwner(caller, *vc).prepend(wish.where));
  const Node* disk = tx.nodes().find(wish.disk_id);
  const Unit* home = disk ? tx.units().find(disk->unit_id) : nullptr;
  if (!home || home->vcid != wish.vcid || home->name != wish.unit || home->kind != UnitKind::kStorage) {
    return invalidArgument(fmt::format("{}: UnitGroup {} has no disk {} in a storage unit {}", wish.where, wish.vcid,
                                       wish.disk_id, wish.unit));
  }
  return disk;
}

/// The same when it is named by the id that the provider gave it; null: it is not ours.
Result<const Node*> disguisedDisk(Tx& tx, const Caller& caller, const DiskWish& wish) {
  const Node* disk = nullptr;
  tx.machines().scan([&](const Machine& volume) {
    if (isDisk(volume) && volume.cloud_id == wish.volume_id) disk = tx.nodes().find(volume.node_id);
    return disk == nullptr;
  });
  const Vc* vc = disk ? tx.vcs().find(disk->vcid) : nullptr;
  if (vc) VCC_RETURN_IF_ERROR(checkOwner(caller, *vc).prepend(wish.where));
  return vc ? disk : nullptr;
}

Result<Attachment> tieOf(Tx& tx, const Caller& caller, const Unit& unit, const DiskWish& wish) {
  VCC_ASSIGN_OR_RETURN(const Node* disk,
                       wish.vcid.empty() ? disguisedDisk(tx, caller, wish) : referredDisk(tx, caller, wish));
  Attachment tie;
  if (!disk) {
    tie.disk = joinKey(unit.instance, wish.volume_id);
    tie.volume_id = wish.volume_id;
    return tie;
  }
  const Unit* home = tx.units().find(disk->unit_id);
  if (!home || home->provider != baseProvider(unit.provider)) {
    return invalidArgument(fmt::format("{}: a disk of provider {} cannot be attached to a machine of {}", wish.where,
                                       home ? home->provider : "", unit.provider));
  }
  if (disk->goal == Goal::kGone) {
    return failedPrecondition(
        fmt::format("{}: disk {} of unit {} is being deleted", wish.where, disk->node_no, home->name));
  }
  tie.disk = disk->node_id;
  tie.disk_vcid = disk->vcid;
  return tie;
}

}  // namespace

Result<std::vector<DiskWish>> diskWishes(const std::string& cloud_params, const std::vector<std::string>& disk_keys) {
  std::vector<DiskWish> wishes;
  VCC_ASSIGN_OR_RETURN(const YamlValue params, treeFromJson(cloud_params));
  for (const std::string& key : disk_keys) {
    const YamlValue* value = params.isMap() ? params.find(key) : nullptr;
    if (value == nullptr || value->isNull() || (value->isScalar() && value->text.empty())) continue;
    const std::string where = "cloud_params." + key;
    const std::vector<YamlValue> one = value->isScalar() ? std::vector{*value} : value->items;
    if (value->isMap()) return invalidArgument(where + ": a list of disks is expected");
    for (std::size_t i = 0; i < one.size(); ++i) {
      const std::string place = fmt::format("{}[{}]", where, i);
      if (!one[i].isScalar()) return invalidArgument(place + ": the id of a disk is expected");
      VCC_ASSIGN_OR_RETURN(DiskWish wish, readWish(one[i].text, place));
      wishes.push_back(std::move(wish));
      if (wishes.size() > kMostDisks) {
        return invalidArgument(fmt::format("{}: at most {} disks can be attached to a node", where, kMostDisks));
      }
    }
  }
  return wishes;
}

Status checkOneNode(const std::vector<DiskWish>& wishes, std::int64_t nodes) {
  if (wishes.empty() || nodes <= 1) return okStatus();
  return invalidArgument(
      fmt::format("{}: a unit that attaches disks has one node, which gets them all; it would have {}",
                  wishes.front().where, nodes));
}

Status claimDisks(Tx& tx, const Caller& caller, const Unit& unit, const std::string& node_id,
                  const std::vector<DiskWish>& wishes) {
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    VCC_ASSIGN_OR_RETURN(Attachment tie, tieOf(tx, caller, unit, wishes[i]));
    if (const Attachment* taken = tx.attachments().find(tie.disk)) {
      return alreadyExists(fmt::format("{}: {} is {}", wishes[i].where, labelOf(tx, tie),
                                       taken->node_id == node_id ? "named twice" : "in use by another node"));
    }
    tie.node_id = node_id;
    tie.vcid = unit.vcid;
    tie.position = static_cast<std::int64_t>(i);
    VCC_RETURN_IF_ERROR(tx.attachments().put(std::move(tie)));
  }
  return okStatus();
}

}  // namespace vcc

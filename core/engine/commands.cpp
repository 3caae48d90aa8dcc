// SPDX-License-Identifier: Apache-2.0
#include "engine/commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/address_choice.h"
#include "engine/admission.h"
#include "engine/deletion.h"
#include "engine/disk_claims.h"
#include "engine/lifecycle.h"
#include "engine/spec_json.h"
#include "engine/visible.h"
#include "plugin_host/call_secrets.h"
#include "secrets/sealed_records.h"

namespace vcc {

namespace {

struct NewNodes {
  std::int64_t count = 0;
  std::vector<std::string> addresses;
  std::vector<DiskWish> disks;   // of the first
  std::int64_t deadline_ms = 0;  // duration
  std::string space;             // of address reservations
};

/// Adds node rows in BOOTING to the unit and puts the unit.
Status putNodes(Tx& tx, Random& random, Unit& unit, const NewNodes& fresh, const Caller& caller,
                std::vector<std::string>& touched) {
  const std::string& by = caller.principal.user;
  for (std::int64_t i = 0; i < fresh.count; ++i) {
    Node node;
    node.node_id = newId(random);
    node.vcid = unit.vcid;
    node.unit_id = unit.unit_id;
    node.node_no = ++unit.last_node_no;
    node.goal_seq = 1;
    node.goal_at = tx.now();
    node.goal_by = by;
    node.deadline = tx.now() + fresh.deadline_ms;
    if (!fresh.addresses.empty()) {
      node.requested_address = fresh.addresses[static_cast<std::size_t>(i)];
      VCC_RETURN_IF_ERROR(reserveAddress(tx, {.instance = unit.instance,
                                              .network = fresh.space,
                                              .ip = node.requested_address,
                                              .node_id = node.node_id,
                                              .vcid = unit.vcid}));
    }
    touched.push_back(node.node_id);
    VCC_RETURN_IF_ERROR(
        recordEvent(tx, {.vcid = unit.vcid,
                         .object = fmt::format("{} {} of unit {}", memberNoun(unit.kind), node.node_no, unit.name),
                         .object_id = node.node_id,
                         .from = "",
                         .to = std::string(stateName(node.state)),
                         .reason = "added by " + by}));
    if (i == 0) VCC_RETURN_IF_ERROR(claimDisks(tx, caller, unit, node.node_id, fresh.disks));
    VCC_RETURN_IF_ERROR(tx.nodes().put(std::move(node)));
  }
  return tx.units().put(unit);
}

/// The driver and catalog entry that serve a provider.
struct Served {
  const DriverSlot* slot = nullptr;
  CatalogEntry entry;
};

Result<Served> serve(const CommandSeams& seams, const std::string& provider, const std::string& network) {
  Served served;
  served.slot = seams.drivers.byProvider(provider);
  if (!served.slot) {
    return invalidArgument(fmt::format("cloud_provider: no driver serves provider {}; `vcc status` lists those that do",
                                       cleanUtf8(provider, 64)));
  }
  if (!served.slot->driver) {
    return unavailable(
        fmt::format("provider {}: its driver is not loaded: {}", provider, served.slot->refusal.message()));
  }
  VCC_ASSIGN_OR_RETURN(served.entry, seams.catalog()->entry(provider, network));
  return served;
}

Status admit(const CommandSeams& seams, const Served& served, const std::vector<std::string>& addresses) {
  const DriverInfo& info = served.slot->driver->info();
  if (info.existence == Existence::kAsserted && addresses.empty()) {
    return invalidArgument("ip_address_list: must name the existing servers to use");
  }
  return admitAddresses({info, served.entry, seams.evaluation, seams.own_addresses}, addresses);
}

/// The driver's own check, with the credentials in place; its words may quote what it was given.
Status checkParams(const Served& served, UnitKind kind, const std::string& clear_params, const SecretString& values) {
  VCC_ASSIGN_OR_RETURN(const SecretString params, joinSecrets(clear_params, values));
  Driver& driver = *served.slot->driver;
  const Status valid = kind == UnitKind::kStorage ? driver.validateDisks(params.reveal(), served.entry.json)
                                                  : driver.validate(params.reveal(), served.entry.json);
  return valid.ok() ? valid : Status(valid.code(), scrubberOf(values).scrub(valid.message()), valid.outcome());
}

Status checkAddressRoom(Tx& tx, const CommandSeams& seams, const Served& served, UnitKind kind,
                        const std::string& network, std::int64_t adding) {
  if (kind == UnitKind::kStorage || !served.slot->driver->info().needs_address) return okStatus();
  VCC_ASSIGN_OR_RETURN(const AddressPool pool, AddressPool::of(served.entry, seams.own_addresses));
  return pool.checkRoom(tx, served.slot->instance, network, adding);
}

/// What a unit asks of the driver's disks.
Status checkDisks(const DriverInfo& info, const std::string& provider, bool storage,
                  const std::vector<DiskWish>& disks) {
  if (!storage && disks.empty()) return okStatus();
  const std::string where = storage ? "cloud_provider" : disks.front().where;
  if (!info.offers_disks) return invalidArgument(fmt::format("{}: provider {} offers no disks", where, provider));
  if (!storage && info.attach_needs == AttachNeeds::kOff && !info.can_power) {
    return invalidArgument(fmt::format(
        "{}: provider {} attaches disks only to machines that are off, and cannot switch them off", where, provider));
  }
  return okStatus();
}

/// The disks that a node added to the unit is to have.
Result<std::vector<DiskWish>> disksOfUnit(const CommandSeams& seams, const Served& served, const Unit& unit) {
  if (unit.kind == UnitKind::kStorage) return std::vector<DiskWish>();
  VCC_ASSIGN_OR_RETURN(const UnitCci cci, openCci(seams.sealer, unit));
  return diskWishes(cci.cloud_params, served.slot->driver->info().disk_keys);
}

}  // namespace

Status checkOwner(const Caller& caller, const Vc& vc) {
  if (caller.privileged || vc.owner == caller.principal.user) return okStatus();
  return permissionDenied(fmt::format("{}:UnitGroup {} belongs to another user", caller.principal.token_head, vc.vcid));
}

Result<std::string> Commands::createVc(const Caller& caller, const std::string& cci_base64) {
  VCC_ASSIGN_OR_RETURN(const VcCci cci, parseVcCci(cci_base64));
  const std::string vcid = newId(seams_.random);
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    VCC_RETURN_IF_ERROR(checkRoomForVc(tx, seams_.limits, caller.principal.user));
    Vc vc;
    vc.vcid = vcid;
    vc.vcno = tx.nextCounter("vcno");
    vc.name = cci.name;
    vc.description = cci.description;
    vc.kind = cci.kind;
    vc.owner = caller.principal.user;
    vc.token_head = caller.principal.token_head;
    vc.created_at = tx.now();
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = vcid,
                                         .object = "vc " + vc.name,
                                         .object_id = vcid,
                                         .from = "",
                                         .to = "RUNNING",
                                         .reason = "created by " + vc.owner}));
    return tx.vcs().put(std::move(vc));
  }));
  return vcid;
}

Status Commands::renameVc(const Caller& caller, const std::string& vcid, const std::string& cci_base64) {
  VcCci cci;
  if (!cci_base64.empty()) {
    VCC_ASSIGN_OR_RETURN(cci, parseVcCci(cci_base64));
  }
  return seams_.store.transact([&](Tx& tx) -> Status {
    VCC_ASSIGN_OR_RETURN(Vc vc, visibleVc(tx, caller, vcid));
    if (cci_base64.empty()) return okStatus();
    if (vc.deleting) return notWhileDeleting(vcid, "");
    if (vc.name != cci.name) {
      VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = vcid,
                                           .object = "vc " + vc.name,
                                           .object_id = vcid,
                                           .from = "name " + vc.name,
                                           .to = "name " + cci.name,
                                           .reason = "renamed by " + caller.principal.user}));
    }
    vc.name = cci.name;
    vc.description = cci.description;
    return tx.vcs().put(std::move(vc));
  });
}

Status Commands::deleteVc(const Caller& caller, const std::string& vcid, bool force) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(Vc vc, visibleVc(tx, caller, vcid));
    const std::size_t units = unitsOf(tx, vcid).size();
    if (!force && units > 0) {
      return failedPrecondition(
          fmt::format("{}::| Conflict: the UnitGroup still has {} unit(s); delete them first, or "
                      "send force \"true\"",
                      vcid, units));
    }
    return beginVcDeletion(tx, std::move(vc), caller.principal.user, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

Status Commands::addUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                         const std::string& info_base64) {
  VCC_RETURN_IF_ERROR(checkUnitName(unit_name).prepend("unit_name"));
  VCC_ASSIGN_OR_RETURN(UnitCci cci, parseUnitCci(info_base64));
  if (cci.name.empty()) cci.name = unit_name;
  if (cci.name != unit_name) {
    return invalidArgument(
        fmt::format("unit.name: {} differs from unit_name {} of the request", cleanUtf8(cci.name, 64), unit_name));
  }
  // Who may not see the UnitGroup learns nothing from the checks of its content.
  Status visible;
  seams_.store.read([&](const ReadTx& tx) { visible = visibleVc(tx, caller, vcid).status(); });
  VCC_RETURN_IF_ERROR(visible);
  VCC_ASSIGN_OR_RETURN(const Served served, serve(seams_, cci.provider, cci.network));
  const DriverInfo& info = served.slot->driver->info();
  VCC_RETURN_IF_ERROR(settleCount(cci, info.existence == Existence::kAsserted));
  const bool storage = cci.kind == UnitKind::kStorage;
  VCC_ASSIGN_OR_RETURN(const std::vector<DiskWish> disks,
                       storage ? std::vector<DiskWish>() : diskWishes(cci.cloud_params, info.disk_keys));
  VCC_RETURN_IF_ERROR(checkOneNode(disks, cci.count));
  VCC_RETURN_IF_ERROR(checkDisks(info, cci.provider, storage, disks));
  VCC_RETURN_IF_ERROR(admit(seams_, served, cci.addresses));
  VCC_RETURN_IF_ERROR(admitVolumes({info, served.entry, seams_.evaluation, seams_.own_addresses}, cci.volumes));
  VCC_ASSIGN_OR_RETURN(const SplitParams split, splitSecrets(cci.cloud_params, info.secret_keys));
  VCC_ASSIGN_OR_RETURN(const Credentials credentials,
                       resolveCredentials(seams_.store, seams_.sealer, caller.principal, split.named.reveal()));
  VCC_RETURN_IF_ERROR(checkParams(served, cci.kind, split.clear, credentials.values));
  if (seams_.probe != nullptr) {
    VCC_RETURN_IF_ERROR(seams_.probe->refusal(*served.slot, served.entry.json, credentials.values)
                            .prepend(caller.principal.token_head));
  }
  VCC_ASSIGN_OR_RETURN(cci.cloud_params, maskSecrets(cci.cloud_params, info.secret_keys));
  if (!cci.unknown_keys.empty()) {
    seams_.log.info(
        "CCI_KEYS_IGNORED", "a CCI carries keys that this controller does not know",
        {{"vcid", vcid}, {"unit", unit_name}, {"keys", fmt::format("{}", fmt::join(cci.unknown_keys, ","))}});
  }

  const std::string unit_id = newId(seams_.random);
  const std::string spec = sealCci(seams_.sealer, unit_id, cci);
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(const Vc vc, visibleVc(tx, caller, vcid));
    if (vc.deleting) return notWhileDeleting(vcid, unit_name);
    if (vc.kind != cci.kind) {
      return invalidArgument(fmt::format("unit: a {} unit does not fit a UnitGroup of type {}",
                                         cci.kind == UnitKind::kStorage ? "storage" : "compute",
                                         vc.kind == UnitKind::kStorage ? "storage" : "compute"));
    }
    for (const Unit& other : unitsOf(tx, vcid)) {
      if (other.name == unit_name) {
        return alreadyExists(fmt::format("{}:{}:| Conflict: a unit of this name exists already", vcid, unit_name));
      }
    }
    VCC_RETURN_IF_ERROR(checkRoomForUnits(tx, seams_.limits, vc.owner, 1));
    VCC_RETURN_IF_ERROR(checkRoomForNodes(tx, seams_.limits, vc.owner, 0, cci.count));
    VCC_RETURN_IF_ERROR(checkRoomForScope(tx, seams_.limits, vc.owner, served.slot->instance, cci.network,
                                          split.has_any ? credentials.fingerprint : std::string()));
    VCC_RETURN_IF_ERROR(checkAddressRoom(tx, seams_, served, cci.kind, cci.network, cci.count));
    Unit unit;
    unit.unit_id = unit_id;
    unit.vcid = vcid;
    unit.name = unit_name;
    unit.kind = cci.kind;
    unit.provider = cci.provider;
    unit.instance = served.slot->instance;
    unit.network = cci.network;
    unit.spec = spec;
    unit.created_at = tx.now();
    if (split.has_any) {
      VCC_ASSIGN_OR_RETURN(unit.grant_id, putGrant(tx, seams_.sealer, seams_.random, caller.principal, credentials));
    }
    VCC_RETURN_IF_ERROR(recordEvent(tx, {.vcid = vcid,
                                         .object = "unit " + unit_name,
                                         .object_id = unit.unit_id,
                                         .from = "",
                                         .to = "BOOTING",
                                         .reason = "added by " + caller.principal.user}));
    VCC_RETURN_IF_ERROR(tx.units().put(unit));
    const NewNodes fresh{cci.count, cci.addresses, disks, served.entry.boot_deadline_s * 1000,
                         addressSpace(info, cci.network)};
    return putNodes(tx, seams_.random, unit, fresh, caller, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

Status Commands::addNodes(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                          const AddNodesRequest& request) {
  const auto count = request.addresses.empty() ? request.count : static_cast<std::int64_t>(request.addresses.size());
  if (count < 1 || count > seams_.limits.nodes_per_unit) {
    return invalidArgument(fmt::format("num_nodes: must be 1 to {}", seams_.limits.nodes_per_unit));
  }
  Result<Unit> found = notFound("");
  seams_.store.read([&](const ReadTx& tx) { found = visibleUnit(tx, caller, vcid, unit_name); });
  VCC_ASSIGN_OR_RETURN(const Unit before, std::move(found));
  if (before.deleting) return notWhileDeleting(vcid, unit_name);
  VCC_ASSIGN_OR_RETURN(const Served served, serve(seams_, before.provider, before.network));
  if (before.kind == UnitKind::kStorage && !request.addresses.empty()) {
    return invalidArgument("ip_address_list: disks have no addresses");
  }
  VCC_RETURN_IF_ERROR(admit(seams_, served, request.addresses));
  VCC_ASSIGN_OR_RETURN(const std::vector<DiskWish> disks, disksOfUnit(seams_, served, before));
  VCC_ASSIGN_OR_RETURN(const Credentials credentials, renewGrant(caller, before));

  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    if (unit.deleting) return notWhileDeleting(vcid, unit_name);
    VCC_RETURN_IF_ERROR(useCredentials(tx, caller, credentials, unit));
    const Vc* vc = tx.vcs().find(vcid);
    const auto present = static_cast<std::int64_t>(tx.nodes().count("unit_id", unit.unit_id));
    VCC_RETURN_IF_ERROR(checkRoomForNodes(tx, seams_.limits, vc->owner, present, count));
    VCC_RETURN_IF_ERROR(checkAddressRoom(tx, seams_, served, unit.kind, unit.network, count));
    if (!disks.empty() && present + count > 1) {
      return failedPrecondition(
          fmt::format("{}:{}:| Conflict: the unit attaches disks, so it has one node only", vcid, unit_name));
    }
    const NewNodes fresh{count, request.addresses, disks, served.entry.boot_deadline_s * 1000,
                         addressSpace(served.slot->driver->info(), unit.network)};
    return putNodes(tx, seams_.random, unit, fresh, caller, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

Result<Credentials> Commands::renewGrant(const Caller& caller, const Unit& unit) const {
  if (unit.grant_id.empty()) return Credentials{};
  Grant grant;
  seams_.store.read([&](const ReadTx& tx) {
    if (const Grant* found = tx.grants().find(unit.grant_id)) grant = *found;
  });
  bool reused = false;
  VCC_ASSIGN_OR_RETURN(Credentials credentials, renewCredentials(seams_.store, seams_.sealer, caller.principal, grant,
                                                                 caller.privileged, reused));
  if (reused) {
    seams_.log.info("GRANT_REUSED", "nodes are added with the credentials that a unit has already",
                    {{"vcid", unit.vcid},
                     {"unit", unit.name},
                     {"by", caller.principal.user},
                     {"token", caller.principal.token_head},
                     {"owner", grant.owner}});
  }
  return credentials;
}

Status Commands::useCredentials(Tx& tx, const Caller& caller, const Credentials& credentials, Unit& unit) const {
  const Grant* present = tx.grants().find(unit.grant_id);
  if (unit.grant_id.empty() || (present != nullptr && present->fingerprint == credentials.fingerprint)) {
    return okStatus();
  }
  const Vc* vc = tx.vcs().find(unit.vcid);
  VCC_RETURN_IF_ERROR(checkRoomForGrant(tx, seams_.limits, unit.unit_id));
  VCC_RETURN_IF_ERROR(checkRoomForScope(tx, seams_.limits, vc ? vc->owner : std::string(), unit.instance, unit.network,
                                        credentials.fingerprint));
  const std::string before = unit.grant_id;
  VCC_ASSIGN_OR_RETURN(unit.grant_id, putGrant(tx, seams_.sealer, seams_.random, caller.principal, credentials));
  VCC_RETURN_IF_ERROR(tx.units().put(unit));
  dropGrantIfUnused(tx, before);
  return okStatus();
}

Status Commands::deleteUnit(const Caller& caller, const std::string& vcid, const std::string& unit_name, bool force) {
  std::vector<std::string> touched;
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    touched.clear();
    VCC_ASSIGN_OR_RETURN(const Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    const std::size_t nodes = nodesOf(tx, unit.unit_id).size();
    if (!force && nodes > 0) {
      return failedPrecondition(
          fmt::format("{}:{}:| Conflict: the unit still has {} {}(s); delete them first, or send "
                      "force \"true\"",
                      vcid, unit_name, nodes, memberNoun(unit.kind)));
    }
    return beginUnitDeletion(tx, unit, caller.principal.user, touched);
  }));
  seams_.wake(touched);
  return okStatus();
}

Status Commands::deleteNode(const Caller& caller, const std::string& vcid, const std::string& unit_name,
                            const std::string& node_id) {
  VCC_RETURN_IF_ERROR(seams_.store.transact([&](Tx& tx) -> Status {
    VCC_ASSIGN_OR_RETURN(const Unit unit, visibleUnit(tx, caller, vcid, unit_name));
    VCC_ASSIGN_OR_RETURN(const Node node, nodeOf(tx, unit, node_id));
    return beginNodeDeletion(tx, node, caller.principal.user);
  }));
  seams_.wake({node_id});
  return okStatus();
}

}  // namespace vcc

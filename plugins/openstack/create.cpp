// SPDX-License-Identifier: Apache-2.0
// Making a machine: its port, then its server.
#include "driver.h"
#include "errors.h"
#include "fields.h"
#include "names.h"
#include "server_body.h"

namespace openstack {

using vcp::plugin::Call;
using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::invalid;
using vcp::plugin::Item;
using vcp::plugin::Items;
using vcp::plugin::Json;
using vcp::plugin::Outcome;
using vcp::plugin::Results;

namespace {

constexpr char kVolumeTypeVersion[] = "2.67";  // of Nova: the first that takes the type of a boot volume

/// The disk that the server starts from, which goes with it.
Json bootVolume(const MachineSpec& machine, const std::string& image) {
  Json disk{{"boot_index", 0},
            {"uuid", image},
            {"source_type", "image"},
            {"destination_type", "volume"},
            {"volume_size", machine.volume_size_gib},
            {"delete_on_termination", true}};
  if (!machine.volume_type.empty()) disk["volume_type"] = machine.volume_type;
  return Json::array({disk});
}

std::optional<std::string> recordedPort(const Item& item) {
  for (const vcp::plugin::Resource& part : item.resources) {
    if (part.kind == kPortPart && !part.id.empty()) return part.id;
  }
  return std::nullopt;
}

/// Somebody has deleted the port meanwhile: this machine is spoilt, another may succeed.
Json sendServer(const Client& client, const Change& request) {
  try {
    return client.change(request);
  } catch (const Error& error) {
    const bool port_is_gone = error.code() == Code::kInvalidArgument &&
                              error.message().find("Port ") != std::string::npos &&
                              error.message().find("could not be found") != std::string::npos;
    if (!port_is_gone) throw;
    throw Error(Code::kDataLoss, Outcome::kNotApplied, error.message()).providerCode(error.providerCode());
  }
}

Json hintsOf(const Site& site, const MachineSpec& machine) {
  Json hints = site.hints;
  if (!machine.reservation.empty()) hints["reservation"] = machine.reservation;
  return hints;
}

}  // namespace

void OpenStackDriver::create(const Call& call, std::string_view spec_text, const Items& items, Results& out) {
  const Json spec = vcp::plugin::parseObject(spec_text, "spec");
  const Site site = siteOf(call);
  const MachineSpec machine = parseMachine(spec.value("cloud_params", Json::object()), site);
  const Client client(services_, call, site);
  for (const Item& item : items) {
    out.guard(item, [&] { createOne(call, client, spec, machine, item, out); });
  }
}

void OpenStackDriver::createOne(const Call& call, const Client& client, const Json& spec, const MachineSpec& machine,
                                const Item& item, Results& out) const {
  if (!item.cloud_id.empty()) return out.done(item);
  const auto known = recordedPort(item);
  Sight sight;
  // Of an op that was never sent there is nothing to find.
  if (call.attempt() > 1 || !item.resources.empty()) {
    sight.servers = lookForServers(client, item, Depth::kDeep);
    if (!known) sight.ports = lookForPorts(client, item);
  }
  report(item, sight, out);
  if (!sight.servers.empty()) return out.done(item);
  Port port;
  if (known) {
    port.id = *known;  // reads may lag behind the answer that named it
  } else if (!sight.ports.empty()) {
    port = sight.ports.front();
  } else {
    return makePort(call, client, item, out);
  }
  const Json answer = sendServer(client, serverRequest(call, client, spec, machine, item, port));
  const std::string id = textIn(partOf(answer, "server"), "id");
  if (id.empty()) throw Error(Code::kUnavailable, Outcome::kApplied, "POST compute /servers: the answer has no server");
  out.machine(item, id, port.address);
  out.done(item);
}

void OpenStackDriver::makePort(const Call& call, const Client& client, const Item& item, Results& out) const {
  const Site& site = client.site();
  Json port{{"network_id", networkOf(client)},
            {"name", portName(item.name)},
            {"description", portMark(call.vccId(), settings_.instance)},
            {"admin_state_up", true}};
  Json fixed = Json::object();
  if (!site.subnet_id.empty()) fixed["subnet_id"] = site.subnet_id;
  if (!item.requested_address.empty()) fixed["ip_address"] = item.requested_address;
  if (!fixed.empty()) port["fixed_ips"] = Json::array({fixed});
  const std::vector<std::string> groups = groupsOf(client);
  if (!groups.empty()) port["security_groups"] = groups;
  Json answer;
  try {
    answer = client.change({Service::kNetwork, "POST", "/ports", Json{{"port", port}}, ""});
  } catch (const Error& error) {
    if (error.code() != Code::kAlreadyExists) throw;
    // The address may be held by a port of our own, whose answer was lost.
    const Ports ours = portsNamed(client, {portName(item.name)});
    if (ours.empty()) throw;
    report(item, {{}, ours}, out);
    return out.pending(item, 0, "its port was there already, its server is next");
  }
  const Port made = Port::of(partOf(answer, "port"));
  out.resource(item, kPortPart, portName(item.name), made.id);
  if (!made.address.empty()) out.machine(item, "", made.address);
  out.pending(item, 0, "its server is next");
}

Change OpenStackDriver::serverRequest(const Call& call, const Client& client, const Json& spec,
                                      const MachineSpec& machine, const Item& item, const Port& port) const {
  const Site& site = client.site();
  const std::string image = imageOf(client, machine.image);
  Json server = Json::object();
  mergeInto(server, site.server_body);
  Json own{{"name", serverName(item)},
           {"flavorRef", flavorOf(client, machine.flavor)},
           {"networks", Json::array({Json{{"port", port.id}}})},
           {"metadata", marks(call, item, machine.tags)}};
  if (machine.boots_from_volume) {
    own["block_device_mapping_v2"] = bootVolume(machine, image);
  } else {
    own["imageRef"] = image;
  }
  if (!item.display_name.empty() && !server.contains("description"))
    own["description"] = item.display_name.substr(0, 255);
  if (!site.zone.empty()) own["availability_zone"] = site.zone;
  if (site.config_drive) own["config_drive"] = *site.config_drive;
  const std::string user_data = userData(site, spec, item);
  if (!user_data.empty()) own["user_data"] = user_data;
  mergeInto(server, own);
  Json request{{"server", server}};
  const Json hints = hintsOf(site, machine);
  if (!hints.empty()) request["os:scheduler_hints"] = hints;
  adjustServer(item, spec, site, request);
  const bool typed = machine.boots_from_volume && !machine.volume_type.empty();
  return {Service::kCompute, "POST", "/servers", request, typed ? kVolumeTypeVersion : ""};
}

/// In base64.
std::string OpenStackDriver::userData(const Site& site, const Json& spec, const Item& item) const {
  const Json& access = partOf(spec, "access");
  UserData values;
  values.text = textIn(access, "user_data");
  values.base64 = services_.crypto.base64(values.text);
  values.user = textIn(access, "user");
  for (const Json& key : partOf(access, "public_keys")) {
    if (key.is_string() && values.public_key.empty()) values.public_key = key.get<std::string>();
  }
  values.name = item.name;
  values.title = item.display_name;
  const std::string text = fillTemplate(site.user_data_template, values);
  if (text.empty()) return {};
  std::string encoded_text = services_.crypto.base64(text);
  if (encoded_text.size() > kMaxUserData) {
    throw invalid("/access/user_data", "has more than 65535 bytes in base64, which is what Nova takes");
  }
  return encoded_text;
}

}  // namespace openstack

// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "api/json_writer.h"
#include "api/vcp/openapi.h"
#include "model/states.h"

/// The bodies of the REST API (spec/rest-protocol 3.1, 6, 7 and 10). Nothing here may be null, and what is required is
/// what the published client cannot do without.
namespace vcc {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 25> kSchemas{{
    {"Error", R"({
      "type": "object", "required": ["message"],
      "properties": {"message": {"type": "string", "description": "<time> UTC: <name of an exception>: <text>",
        "pattern": "^\\d{4}/\\d{2}/\\d{2} \\d{2}:\\d{2}:\\d{2} UTC: VCP[A-Za-z]+Exception: "}}})"},
    {"Document", R"({"type": "object"})"},
    {"Empty", R"({"type": "object", "maxProperties": 0})"},
    {"Date", R"({
      "type": "string", "description": "UTC, or empty for not yet",
      "pattern": "^(\\d{4}/\\d{2}/\\d{2} \\d{2}:\\d{2}:\\d{2} UTC)?$", "example": "2022/09/27 15:32:57 UTC"})"},
    {"ErrorLines", R"({
      "type": "string", "description": "empty, or lines that begin with their time",
      "pattern": "^(\\d{4}/\\d{2}/\\d{2} \\d{2}:\\d{2}:\\d{2} UTC: .*(\\n|$))*$"})"},
    {"Id", R"({"type": "string", "pattern": "^[0-9a-f]{32}$"})"},
    {"Address", R"({"type": "string", "description": "without prefix length; empty until known",
      "pattern": "^(\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3})?$"})"},
    {"Health", R"({"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}})"},
    {"Authority", R"({
      "type": "object", "required": ["role", "user_name", "user_role"],
      "properties": {"role": {"type": "string", "enum": ["fullaccess", "readonly"]}, "user_name": {"type": "string"},
        "user_role": {"type": "string", "enum": ["regular", "super"]}}})"},
    {"PublicKey", R"({
      "type": "object", "required": ["publickey"],
      "properties": {"publickey": {"type": "string", "description": "in the form of authorized_keys",
        "pattern": "^ssh-[^\\n]+$"}}})"},
    {"Version", R"({
      "type": "object", "required": ["version", "git_tag", "plugin"],
      "properties": {"version": {"type": "string", "pattern": "^\\d+\\.\\d+\\.\\d+(\\+.*)?$"},
        "git_tag": {"type": "string"},
        "plugin": {"type": "object", "description": "provider -> version of its driver",
          "additionalProperties": {"type": "string"}}}})"},
    {"VpnCatalog", R"({
      "type": "object", "required": ["vpn_catalog"],
      "properties": {"vpn_catalog": {"type": "object", "required": ["cci_version"],
        "properties": {"cci_version": {"type": "string"}},
        "additionalProperties": {"type": "object", "description": "name of an entry -> its keys",
          "additionalProperties": {"type": "object"}}}}})"},
    {"Vcs", R"({
      "type": "object", "required": ["vcs"],
      "properties": {"vcs": {"type": "array", "items": {"$ref": "#/components/schemas/Vc"}}}})"},
    {"Vc", R"({
      "type": "object", "description": "a UnitGroup", "required": ["vcc_id", "vcid", "vcno", "type", "name",
        "description", "owner", "state", "cdate", "error_message", "unit"],
      "properties": {"vcc_id": {"$ref": "#/components/schemas/Id"}, "vcid": {"$ref": "#/components/schemas/Id"},
        "vcno": {"type": "integer", "minimum": 1, "description": "counts up, never used twice"},
        "type": {"$ref": "#/components/schemas/Kind"}, "name": {"type": "string", "description": "not unique"},
        "description": {"type": "string"}, "owner": {"type": "string"},
        "state": {"$ref": "#/components/schemas/VcState"}, "cdate": {"$ref": "#/components/schemas/Date"},
        "error_message": {"$ref": "#/components/schemas/ErrorLines"},
        "unit": {"type": "array", "items": {"$ref": "#/components/schemas/Unit"}}}})"},
    {"Unit", R"({
      "type": "object", "description": "with `node` when its type is compute, with `disk` when it is storage",
      "required": ["name", "type", "provider", "private_network", "state", "cdate", "error_message", "info"],
      "oneOf": [{"required": ["node"]}, {"required": ["disk"]}],
      "properties": {"name": {"type": "string", "pattern": "^[a-zA-Z0-9_\\-]+$"},
        "type": {"$ref": "#/components/schemas/Kind"}, "provider": {"type": "string"},
        "private_network": {"type": "string", "description": "entry of the VPN catalog"},
        "state": {"$ref": "#/components/schemas/UnitState"}, "cdate": {"$ref": "#/components/schemas/Date"},
        "error_message": {"$ref": "#/components/schemas/ErrorLines"},
        "info": {"type": "string", "description": "the CCI as YAML, secrets masked"},
        "node": {"type": "array", "description": "by node_no", "items": {"$ref": "#/components/schemas/Node"}},
        "disk": {"type": "array", "description": "by disk_no", "items": {"$ref": "#/components/schemas/Disk"}}}})"},
    {"Node", R"({
      "type": "object", "required": ["node_no", "node_id", "name", "state", "cloud_instance_address",
        "cloud_instance_id", "volumes", "boot_date", "container_date", "watch_mode", "error_message"],
      "not": {"required": ["disk_no"]},
      "properties": {"node_no": {"type": "integer", "minimum": 1, "description": "counts up, never used twice"},
        "node_id": {"$ref": "#/components/schemas/Id"}, "name": {"type": "string"},
        "state": {"$ref": "#/components/schemas/NodeState"},
        "cloud_instance_address": {"$ref": "#/components/schemas/Address"}, "cloud_instance_id": {"type": "string"},
        "volumes": {"type": "array", "items": {"type": "object", "required": ["volume_id"],
          "properties": {"volume_id": {"type": "string"}, "device_name": {"type": "string"}}}},
        "boot_date": {"$ref": "#/components/schemas/Date"}, "container_date": {"$ref": "#/components/schemas/Date"},
        "watch_mode": {"type": "boolean"}, "error_message": {"$ref": "#/components/schemas/ErrorLines"}}})"},
    {"Disk", R"({
      "type": "object", "required": ["disk_no", "disk_id", "name", "state", "in_use", "cdate", "cloud_disk_id",
        "cloud_disk_size", "error_message"],
      "properties": {"disk_no": {"type": "integer", "minimum": 1, "description": "counts up, never used twice"},
        "disk_id": {"$ref": "#/components/schemas/Id"}, "name": {"type": "string"},
        "state": {"$ref": "#/components/schemas/NodeState"}, "in_use": {"type": "boolean"},
        "cdate": {"$ref": "#/components/schemas/Date"}, "cloud_disk_id": {"type": "string"},
        "cloud_disk_size": {"type": "integer", "description": "GB"},
        "error_message": {"$ref": "#/components/schemas/ErrorLines"}}})"},
    {"NodeOrDisk", R"({"oneOf": [{"$ref": "#/components/schemas/Node"}, {"$ref": "#/components/schemas/Disk"}]})"},
    {"NewVc", R"({
      "type": "object", "required": ["vcid"], "properties": {"vcid": {"$ref": "#/components/schemas/Id"}}})"},
    {"VcBody", R"({
      "type": "object",
      "properties": {"cci": {"type": "string", "description": "CCI of a UnitGroup: YAML, UTF-8, base64"}}})"},
    {"UnitBody", R"({
      "type": "object", "required": ["info", "unit_name"],
      "properties": {"info": {"type": "string", "description": "CCI of a unit: YAML, UTF-8, base64"},
        "unit_name": {"type": "string", "pattern": "^[a-zA-Z0-9_\\-]+$", "maxLength": 64}}})"},
    {"AddBody", R"({
      "type": "object",
      "properties": {"num_nodes": {"type": "integer", "minimum": 1, "description": "how many to add, nodes or disks"},
        "ip_address_list": {"type": "array", "items": {"type": "string"},
          "description": "empty, or one address for each"},
        "mac_address_list": {"type": "array", "items": {"type": "string"}, "maxItems": 0}}})"},
    {"OwnerBody", R"({
      "type": "object", "required": ["owner", "operation"],
      "properties": {"owner": {"type": "string"}, "operation": {"type": "string", "enum": ["change_owner"]}}})"},
    {"FailBody", R"({
      "type": "object", "description": "what serf tells its handlers; another event is ignored",
      "properties": {"eventtype": {"type": "string", "description": "member-fail or member-failed"},
        "tag": {"type": "array", "description": "names of nodes: <vcid>:<unit>:<node_no>, or node_id",
          "items": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}}})"},
    {"ForceBody", R"({
      "type": "object",
      "properties": {"force": {"description": "also what is in it; false: only when it is empty",
        "oneOf": [{"type": "string", "enum": ["true", "false", "True", "False"]}, {"type": "boolean"}]}}})"},
}};

using StateOf = std::string_view (*)(std::size_t);

std::string states(StateOf name, std::size_t last) {
  JsonWriter json;
  json.beginObject().key("type").string("string").key("enum").beginArray();
  for (std::size_t i = 0; i <= last; ++i) json.string(name(i));
  json.endArray().endObject();
  return json.take();
}

}  // namespace

std::string openApiSchemas() {
  constexpr auto kLast = static_cast<std::size_t>(State::kIndefinite);
  const StateOf state = [](std::size_t i) { return stateName(static_cast<State>(i)); };
  const StateOf vc_state = [](std::size_t i) { return vcStateName(static_cast<VcState>(i)); };
  JsonWriter json;
  json.beginObject();
  for (const auto& [name, schema] : kSchemas) json.key(name).raw(schema);
  json.key("Kind").raw(R"({"type": "string", "enum": ["compute", "storage"]})");
  json.key("VcState").raw(states(vc_state, static_cast<std::size_t>(VcState::kError)));
  json.key("UnitState").raw(states(state, kLast));
  json.key("NodeState").raw(states(state, kLast - 1));  // INDEFINITE is a state of units only
  json.endObject();
  return json.take();
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include <arpa/inet.h>

#include <array>
#include <cstdlib>
#include <set>
#include <utility>

namespace mock {
namespace {

using vcp::plugin::Code;
using vcp::plugin::integerOf;
using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::textOf;

constexpr char kEntry[] = "/catalog_entry";
constexpr std::int64_t kHourMs = 3'600'000;

constexpr std::array<std::pair<const char*, Code>, 16> kCodes{{
    {"CANCELLED", Code::kCancelled},
    {"UNKNOWN", Code::kUnknown},
    {"INVALID_ARGUMENT", Code::kInvalidArgument},
    {"DEADLINE_EXCEEDED", Code::kDeadlineExceeded},
    {"NOT_FOUND", Code::kNotFound},
    {"ALREADY_EXISTS", Code::kAlreadyExists},
    {"PERMISSION_DENIED", Code::kPermissionDenied},
    {"RESOURCE_EXHAUSTED", Code::kResourceExhausted},
    {"FAILED_PRECONDITION", Code::kFailedPrecondition},
    {"ABORTED", Code::kAborted},
    {"OUT_OF_RANGE", Code::kOutOfRange},
    {"UNIMPLEMENTED", Code::kUnimplemented},
    {"INTERNAL", Code::kInternal},
    {"UNAVAILABLE", Code::kUnavailable},
    {"DATA_LOSS", Code::kDataLoss},
    {"UNAUTHENTICATED", Code::kUnauthenticated},
}};
constexpr std::array<const char*, 12> kOperations{"create",       "destroy", "power",  "observe",
                                                  "list",         "probe",   "boot",   "create_disk",
                                                  "destroy_disk", "attach",  "detach", "observe_disk"};

/// "0.2 UNAVAILABLE", "1 lost".
Fault parseFault(const std::string& operation, const std::string& text, const std::string& pointer) {
  const auto bad = [&] {
    return invalid(pointer,
                   "must be a probability from 0 to 1 and an error class (UNAVAILABLE, RESOURCE_EXHAUSTED, ... lost, "
                   "dropped, for list also partial), as in \"0.2 UNAVAILABLE\"");
  };
  Fault fault;
  char* end = nullptr;
  fault.probability = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != ' ' || !(fault.probability >= 0 && fault.probability <= 1)) throw bad();
  fault.name = text.substr(static_cast<std::size_t>(end - text.c_str()) + 1);
  if (fault.name == "lost" || fault.name == "dropped") {
    fault.kind = fault.name == "lost" ? Fault::Kind::kLost : Fault::Kind::kDropped;
    fault.code = Code::kDeadlineExceeded;
    return fault;
  }
  if (fault.name == "partial" && operation == "list") {
    fault.kind = Fault::Kind::kPartial;
    return fault;
  }
  for (const auto& [name, code] : kCodes) {
    if (fault.name != name) continue;
    fault.code = code;
    return fault;
  }
  throw bad();
}

Network parseNetwork(const std::string& text, const std::string& pointer) {
  const auto bad = [&] {
    return invalid(pointer, "'" + text.substr(0, 64) + "' is not a range such as 10.250.0.0/16");
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) throw bad();
  const auto address = parseIpv4(text.substr(0, slash));
  const std::string digits = text.substr(slash + 1);
  int prefix = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (!address || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || prefix < 8 ||
      prefix > 30) {
    throw bad();
  }
  return {*address & (0xFFFFFFFFU << (32 - prefix)), prefix};
}

}  // namespace

std::uint32_t Network::first() const { return base + 2; }
std::uint32_t Network::last() const { return (base | (0xFFFFFFFFU >> prefix)) - 1; }
bool Network::contains(std::uint32_t address) const { return address > base && address <= last(); }

std::optional<std::uint32_t> parseIpv4(const std::string& text) {
  in_addr raw{};
  if (text.find('\0') != std::string::npos || inet_pton(AF_INET, text.c_str(), &raw) != 1) return std::nullopt;
  return ntohl(raw.s_addr);
}

std::string formatIpv4(std::uint32_t address) {
  return std::to_string(address >> 24U) + "." + std::to_string(address >> 16U & 0xFFU) + "." +
         std::to_string(address >> 8U & 0xFFU) + "." + std::to_string(address & 0xFFU);
}

Knobs parseKnobs(std::string_view catalog_entry) {
  const Json entry = vcp::plugin::parseObject(catalog_entry, "the VPN catalog entry of mock");
  Knobs knobs;
  knobs.network = parseNetwork(textOf(entry, "private_network_ipmask", kEntry).value_or("10.250.0.0/16"),
                               std::string(kEntry) + "/private_network_ipmask");
  knobs.state_file = textOf(entry, "mock_state_file", kEntry).value_or("");
  knobs.access_key = textOf(entry, "mock_access_key", kEntry).value_or("");
  knobs.latency_ms = integerOf(entry, "mock_api_latency_ms", kEntry, 0, kHourMs).value_or(knobs.latency_ms);
  knobs.boot_ms = integerOf(entry, "mock_boot_ms", kEntry, 0, 24 * kHourMs).value_or(knobs.boot_ms);
  knobs.rate_per_s = integerOf(entry, "mock_rate_per_s", kEntry, 0, 1'000'000).value_or(knobs.rate_per_s);
  knobs.max_batch = integerOf(entry, "mock_max_batch", kEntry, 1, 1000).value_or(knobs.max_batch);

  const auto fail = entry.find("mock_fail");
  if (fail == entry.end() || fail->is_null()) return knobs;
  const std::string pointer = std::string(kEntry) + "/mock_fail";
  if (!fail->is_object()) throw invalid(pointer, "must map operations to \"probability class\"");
  for (const auto& [operation, value] : fail->items()) {
    bool known = false;
    for (const char* name : kOperations) known = known || operation == name;
    if (!known) {
      throw invalid(pointer, "does not know operation '" + operation.substr(0, 64) +
                                 "'; there are create, destroy, power, observe, list, probe, boot, "
                                 "create_disk, destroy_disk, attach, detach, observe_disk");
    }
    knobs.faults[operation] =
        parseFault(operation, textOf(*fail, operation, pointer).value_or(""), pointer + "/" + operation);
  }
  return knobs;
}

void checkParams(const Json& params, const Network& network) {
  constexpr char kParams[] = "/cloud_params";
  const std::string list_pointer = std::string(kParams) + "/ip_address_list";
  if (const auto list = params.find("ip_address_list"); list != params.end() && !list->is_null()) {
    if (!list->is_array()) throw invalid(list_pointer, "must be a list of IPv4 addresses");
    std::set<std::uint32_t> seen;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string pointer = list_pointer + "/" + std::to_string(i);
      const Json& value = (*list)[i];
      const auto address = value.is_string() ? parseIpv4(value.get<std::string>()) : std::nullopt;
      if (!address) throw invalid(pointer, "must be an IPv4 address");
      if (!network.contains(*address)) {
        throw invalid(pointer, formatIpv4(*address) + " is outside of " + formatIpv4(network.base) + "/" +
                                   std::to_string(network.prefix) + " (private_network_ipmask)");
      }
      if (!seen.insert(*address).second) throw invalid(pointer, formatIpv4(*address) + " is named twice");
    }
  }
  if (const auto tags = params.find("tags"); tags != params.end() && !tags->is_null()) {
    if (!tags->is_object()) throw invalid("/cloud_params/tags", "must map names to values");
    for (const auto& [name, value] : tags->items()) {
      if (value.is_structured())
        throw invalid("/cloud_params/tags", "tag '" + name.substr(0, 64) + "' must be a single value");
    }
  }
  if (const auto volume = params.find("volume_id"); volume != params.end() && volume->is_object()) {
    throw invalid("/cloud_params/volume_id", "must be an id or a list of ids");
  }
  integerOf(params, "size", kParams, 1, 65536);
  textOf(params, "cloud_image", kParams);
  textOf(params, "access_key", kParams);
}

}  // namespace mock

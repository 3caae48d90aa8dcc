// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include "vcp/plugin/cpp/json.h"

namespace onpremises {
namespace {

using vcp::plugin::invalid;
using vcp::plugin::Json;
using vcp::plugin::textOf;

constexpr std::size_t kMaxAddresses = 10000;
constexpr char kListPointer[] = "/cloud_params/ip_address_list";

bool isAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Login names of useradd and of directory services: never a leading '-', which ssh and sudo take as an option.
bool isUserName(const std::string& name) {
  if (name.empty() || name.size() > 32 || !(isAlnum(name[0]) || name[0] == '_')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return isAlnum(c) || c == '_' || c == '-' || c == '.'; });
}

/// Linux interface names: up to 15 bytes, no '/', no white space.
bool isInterfaceName(const std::string& name) {
  if (name.empty() || name.size() > 15) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return isAlnum(c) || c == '_' || c == '-' || c == '.' || c == ':' || c == '@'; });
}

}  // namespace

void checkAddress(std::string_view address, std::string_view pointer, bool loopback_allowed) {
  in_addr raw{};
  const std::string text(address);
  if (text.find('\0') != std::string::npos || inet_pton(AF_INET, text.c_str(), &raw) != 1) {
    throw invalid(pointer, "'" + text.substr(0, 64) + "' is not an IPv4 address; write it as 192.0.2.10");
  }
  const std::uint32_t number = ntohl(raw.s_addr);
  const std::uint32_t first = number >> 24U;
  const auto refuse = [&](const char* why) { return invalid(pointer, "'" + text + "' cannot be a server: " + why); };
  if (first == 0) throw refuse("0.0.0.0/8 means no address");
  if (first >= 224) throw refuse("multicast, reserved and broadcast addresses name no single machine");
  if (number >> 16U == 0xA9FEU)
    throw refuse("link-local addresses (169.254.0.0/16) are not reachable from the controller");
  if (first == 127 && !loopback_allowed) {
    throw refuse("loopback is the controller itself; it is allowed only in an evaluation data folder");
  }
}

void checkParams(std::string_view cloud_params, bool loopback_allowed) {
  const Json params = vcp::plugin::parseObject(cloud_params, "cloud_params");

  if (const auto user = textOf(params, "user_name", "/cloud_params"); user && !isUserName(*user)) {
    throw invalid(
        "/cloud_params/user_name",
        "must be a login name: 1 to 32 letters, digits, '_', '-', '.', beginning with a letter, digit or '_'");
  }
  if (const auto name = textOf(params, "network_if", "/cloud_params");
      name && !name->empty() && !isInterfaceName(*name)) {
    throw invalid("/cloud_params/network_if", "must be the name of a network interface, such as eth0");
  }
  if (const auto image = textOf(params, "cloud_image", "/cloud_params");
      image && !image->empty() && *image != "default") {
    throw invalid("/cloud_params/cloud_image", "existing servers keep their system; leave cloud_image out");
  }

  const auto list = params.find("ip_address_list");
  if (list == params.end() || list->is_null() || (list->is_array() && list->empty())) {
    throw invalid(kListPointer, "is missing; name the address of each existing server");
  }
  if (!list->is_array()) throw invalid(kListPointer, "must be a list of IPv4 addresses");
  if (list->size() > kMaxAddresses) throw invalid(kListPointer, "has too many entries (limit 10000)");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = std::string(kListPointer) + "/" + std::to_string(i);
    const Json& entry = (*list)[i];
    if (!entry.is_string()) throw invalid(pointer, "must be an IPv4 address");
    const auto& address = entry.get_ref<const std::string&>();
    checkAddress(address, pointer, loopback_allowed);
    if (!seen.insert(address).second) throw invalid(pointer, "'" + address + "' is named twice");
  }
}

}  // namespace onpremises

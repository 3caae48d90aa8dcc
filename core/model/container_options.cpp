// SPDX-License-Identifier: Apache-2.0
#include "model/container_options.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace vcc {
namespace {

constexpr bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool isDigit(char c) { return c >= '0' && c <= '9'; }

// Letters, digits and the characters of `others`, starting with a letter, a digit or '_': never an option of its own.
bool isWord(std::string_view text, std::string_view others, std::size_t most) {
  if (text.empty() || text.size() > most) return false;
  if (!isLetter(text.front()) && !isDigit(text.front()) && text.front() != '_') return false;
  return std::ranges::all_of(
      text, [&](char c) { return isLetter(c) || isDigit(c) || others.find(c) != std::string_view::npos; });
}

bool isHostName(std::string_view text) { return isWord(text, "-._", 253) && text.find("..") == std::string_view::npos; }

bool isAddress(const std::string& text) {
  in6_addr six{};
  return isIpv4(text) || inet_pton(AF_INET6, text.c_str(), &six) == 1;
}

bool isSearchDomain(const std::string& text) { return text == "." || isHostName(text); }

bool isResolverOption(const std::string& text) { return isWord(text, "-:", 64); }

bool isHostEntry(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || !isHostName(text.substr(0, colon))) return false;
  const std::string target = text.substr(colon + 1);
  return target == "host-gateway" || isAddress(target);
}

bool isHostNameOption(const std::string& text) { return isHostName(text) && text.size() <= 64; }

// all, a count, or a list such as device=0,capabilities=utility
bool isGpus(const std::string& text) { return isWord(text, "-_=,.:;\"", 256); }

using Check = bool (*)(const std::string&);

// The values of an option that may be written under several names, but only under one at a time.
Result<std::vector<std::string>> option(YamlFields& fields, std::initializer_list<std::string_view> names, Check valid,
                                        std::string_view expected) {
  std::string_view used;
  for (std::string_view name : names) {
    if (fields.get(name) == nullptr) continue;
    if (!used.empty()) return fields.error(name, fmt::format("the option is already given as {}", used));
    used = name;
  }
  if (used.empty()) return std::vector<std::string>();
  VCC_ASSIGN_OR_RETURN(std::vector<std::string> values, fields.textOrTexts(used));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!valid(values[i])) return fields.error(used, i, fmt::format("this is not {}", expected));
  }
  return values;
}

Result<std::string> single(YamlFields& fields, std::string_view name, Check valid, std::string_view expected) {
  VCC_ASSIGN_OR_RETURN(const std::string value, fields.text(name));
  if (!value.empty() && !valid(value)) return fields.error(name, fmt::format("this is not {}", expected));
  return value;
}

// A path that begins at the root and has no ".." in it: then a rule on its beginning holds for all of it.
bool isAbsolutePath(std::string_view path) {
  if (!path.starts_with('/') || path.size() > 4096) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    if (part == "..") return false;
    path.remove_prefix(part.size());
  }
  return true;
}

bool isRoot(std::string_view path) { return path.find_first_not_of("/.") == std::string_view::npos; }

bool isMode(std::string_view mode) {
  constexpr std::array<std::string_view, 15> kModes{"ro",      "rw",         "z",      "Z",         "shared",
                                                    "rshared", "slave",      "rslave", "private",   "rprivate",
                                                    "nocopy",  "consistent", "cached", "delegated", "bind"};
  for (;;) {
    const std::size_t comma = mode.find(',');
    if (std::ranges::find(kModes, mode.substr(0, comma)) == kModes.end()) return false;
    if (comma == std::string_view::npos) return true;
    mode.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<DockerOptions> parseDockerOptions(YamlFields fields) {
  DockerOptions options;
  VCC_ASSIGN_OR_RETURN(options.dns, option(fields, {"dns"}, isAddress, "an IP address"));
  VCC_ASSIGN_OR_RETURN(options.dns_search,
                       option(fields, {"dns_search", "dns-search"}, isSearchDomain, "a domain name"));
  VCC_ASSIGN_OR_RETURN(options.dns_opt, option(fields, {"dns_opt", "dns-opt", "options"}, isResolverOption,
                                               "an option of resolv.conf such as ndots:2"));
  VCC_ASSIGN_OR_RETURN(options.add_host,
                       option(fields, {"add_host", "add-host"}, isHostEntry, "a host entry such as name:192.168.1.10"));
  VCC_ASSIGN_OR_RETURN(options.hostname, single(fields, "hostname", isHostNameOption, "a host name"));
  VCC_ASSIGN_OR_RETURN(options.gpus, single(fields, "gpus", isGpus, "a choice of GPUs such as all or device=0"));
  if (const auto unknown = fields.unread(); !unknown.empty()) {
    return fields.error(unknown.front(),
                        "this option is not known; dns, dns_search, dns_opt, add_host, hostname and gpus are");
  }
  return options;
}

Result<VolumeMount> parseVolume(std::string_view entry) {
  const auto refuse = [](std::string_view cause) { return invalidArgument(std::string(cause)); };
  if (isAbsolutePath(entry) && !isRoot(entry) && entry.find(':') == std::string_view::npos)
    return VolumeMount{{}, std::string(entry), {}};
  const std::size_t first = entry.find(':');
  if (first == std::string_view::npos) {
    return refuse("a volume is /host/path:/container/path[:mode] or /container/path, without \"..\"");
  }
  const std::string_view host = entry.substr(0, first);
  const std::string_view rest = entry.substr(first + 1);
  const std::size_t second = rest.find(':');
  const std::string_view container = rest.substr(0, second);
  if (!isAbsolutePath(host) && !isWord(host, "-_.", 255)) {
    return refuse("the left side must be an absolute path without \"..\", or the name of a volume");
  }
  if (!isAbsolutePath(container) || isRoot(container)) {
    return refuse("the path in the container must be absolute, without \"..\", and not /");
  }
  if (second == std::string_view::npos) return VolumeMount{std::string(host), std::string(container), {}};
  const std::string_view mode = rest.substr(second + 1);
  if (!isMode(mode)) return refuse("the mode is not known; ro, rw and docker's other words, joined by commas, are");
  return VolumeMount{std::string(host), std::string(container), std::string(mode)};
}

Result<std::vector<std::string>> parseVolumes(YamlFields& params) {
  VCC_ASSIGN_OR_RETURN(std::vector<std::string> entries, params.texts("v"));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (const auto mount = parseVolume(entries[i]); !mount.ok()) return params.error("v", i, mount.status().message());
  }
  return entries;
}

Result<std::vector<std::string>> parseEnvironment(YamlFields& params) {
  VCC_ASSIGN_OR_RETURN(std::vector<std::string> entries, params.texts("e"));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& entry = entries[i];
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || isDigit(entry.front()) || !isWord(entry.substr(0, equals), "_", entry.size())) {
      return params.error("e", i, "this is not NAME=value with a NAME of letters, digits and '_', no digit first");
    }
    if (entry.size() >= kEnvironmentItemBytes) {
      return params.error(
          "e", i,
          fmt::format("NAME=value has {} bytes, but Linux hands over less than {}; put the content into "
                      "a file and pass its path",
                      entry.size(), kEnvironmentItemBytes));
    }
  }
  return entries;
}

}  // namespace vcc

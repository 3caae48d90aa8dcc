// SPDX-License-Identifier: Apache-2.0
#include "host/container_args.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kItemLimit = 131072;  // MAX_ARG_STRLEN of Linux, with the closing NUL
constexpr std::size_t kItemsLimit = 9000;
constexpr std::size_t kTotalLimit = 1800000;

void addEach(std::vector<std::string>& args, const char* option, const std::vector<std::string>& values) {
  for (const auto& value : values) {
    args.emplace_back(option);
    args.push_back(value);
  }
}

void addOne(std::vector<std::string>& args, const char* option, const std::string& value) {
  if (!value.empty()) addEach(args, option, {value});
}

bool isIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

/// What an error text may show of an argument: a variable's name, never its value.
std::string shownItem(const std::string& item) { return cleanUtf8(item.substr(0, item.find('=')), 80); }

}  // namespace

Result<std::vector<std::string>> runArgs(const ContainerSpec& spec) {
  VCC_RETURN_IF_ERROR(checkImage(spec.image));
  std::vector<std::string> args{"run",       "-d",   "--pull",    "never",         "--privileged",
                                "--network", "host", "--restart", "unless-stopped"};
  addOne(args, "--name", spec.name);
  for (const auto& [label, value] : spec.labels) addOne(args, "--label", label + "=" + value);
  addEach(args, "-v", {"/dev:/dev"});
  addEach(args, "-v", spec.volumes);
  for (const auto& item : spec.environment) {
    auto equals = item.find('=');
    if (equals == 0 || equals == item.npos) {
      return invalidArgument(
          fmt::format("environment item '{}' must have the form NAME=value; correct params.e", shownItem(item)));
    }
  }
  addEach(args, "-e", spec.environment);
  addEach(args, "--dns", spec.dns);
  addEach(args, "--dns-search", spec.dns_search);
  addEach(args, "--dns-opt", spec.dns_opt);
  addEach(args, "--add-host", spec.add_host);
  addOne(args, "--hostname", spec.hostname);
  addOne(args, "--gpus", spec.gpus);
  args.emplace_back("--");
  args.push_back(spec.image);
  return args;
}

Status checkImage(const std::string& image) {
  bool printable = std::all_of(image.begin(), image.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (image.empty() || image.size() > 1024 || image.front() == '-' || !printable) {
    return invalidArgument(fmt::format("'{}' is not an image name; correct the image", cleanUtf8(image, 80)));
  }
  return okStatus();
}

Status checkContainerId(const std::string& id) {
  if (id.empty() || id.size() > 128 || id.front() == '-' || !std::all_of(id.begin(), id.end(), isIdCharacter)) {
    return invalidArgument(fmt::format("'{}' is not a container id", cleanUtf8(id, 80)));
  }
  return okStatus();
}

Result<std::string> joinArgs(const std::vector<std::string>& args) {
  std::string joined;
  for (const auto& item : args) {
    if (item.find('\0') != item.npos) {
      return invalidArgument(fmt::format("'{}' holds a NUL byte, which no argument can; remove it", shownItem(item)));
    }
    if (item.size() + 1 > kItemLimit) {
      return invalidArgument(fmt::format("'{}' has {} bytes; an item of params or docker_opt must be shorter than {}",
                                         shownItem(item), item.size(), kItemLimit));
    }
    joined.append(item).push_back('\0');
  }
  if (args.size() > kItemsLimit || joined.size() > kTotalLimit) {
    return invalidArgument(
        fmt::format("the options of the base container are {} items of {} bytes; at most {} items and {} bytes can be "
                    "given: shorten params and docker_opt",
                    args.size(), joined.size(), kItemsLimit, kTotalLimit));
  }
  return joined;
}

}  // namespace vcc

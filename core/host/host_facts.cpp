// SPDX-License-Identifier: Apache-2.0
#include "host/host_facts.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kTextBytes = 200;
/// sshd, docker, serf's two and cAdvisor of a base container (spec/operations 6.2).
const std::vector<int> kContainerPorts{22, 2375, 7373, 7947, 18083};

template <typename Number>
Number numberIn(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 ? value : 0;
}

/// As the kernel prints it: the four bytes as one number of the machine's byte order, which is little here.
std::string kernelWord(std::string_view address) {
  in_addr bytes{};
  if (::inet_pton(AF_INET, std::string(address).c_str(), &bytes) != 1) return {};
  const std::uint32_t number = ntohl(bytes.s_addr);
  return fmt::format("{:02X}{:02X}{:02X}{:02X}", number & 0xff, number >> 8 & 0xff, number >> 16 & 0xff, number >> 24);
}

bool isAnyAddress(std::string_view word) {
  return !word.empty() && word.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::vector<int> portsTaken(const std::vector<std::string>& listeners, std::string_view address,
                            const std::vector<int>& ports) {
  std::vector<int> taken;
  const std::string own = kernelWord(address);
  for (const std::string& line : listeners) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view where = std::string_view(line).substr(0, colon);
    const int port = numberIn<int>(std::string_view(line).substr(colon + 1), 16);
    const bool ours = isAnyAddress(where) || where == own || where.ends_with("0000FFFF0000" + own);
    const bool asked = std::ranges::find(ports, port) != ports.end();
    if (ours && asked && std::ranges::find(taken, port) == taken.end()) taken.push_back(port);
  }
  std::ranges::sort(taken);
  return taken;
}

HostFacts readFacts(const ScriptAnswer& answer, const std::string& address) {
  HostFacts facts;
  facts.system = cleanUtf8(answer.value("system").value_or(""), kTextBytes);
  facts.machine = cleanUtf8(answer.value("machine").value_or(""), kTextBytes);
  facts.may_sudo = answer.value("sudo").has_value();
  facts.clock_synchronised = answer.value("clock").has_value();
  facts.free_mib = numberIn<std::int64_t>(answer.value("free").value_or(""), 10);
  facts.taken_ports = portsTaken(answer.values("listens"), address, kContainerPorts);
  for (const std::string& name : answer.values("lost")) {
    if (facts.missing_commands.size() < 16) facts.missing_commands.push_back(cleanUtf8(name, 32));
  }
  return facts;
}

}  // namespace vcc

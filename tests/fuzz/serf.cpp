// SPDX-License-Identifier: Apache-2.0
// Messages of a serf agent, which carry what strangers gossip, whole and cut short.
#include "host/serf_protocol.h"

#include "fuzz.h"

using namespace vcc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = fuzz::text(data, size);
  const auto has_body = [](std::uint64_t seq) { return seq > 1; };
  SerfMessage message;
  const auto taken = readSerfMessage(bytes, has_body, message);
  if (!taken.ok()) return 0;
  fuzz::require(*taken <= bytes.size(), "more bytes taken than there are");
  if (*taken == 0) return 0;
  for (const SerfMember& member : message.members) {
    fuzz::require(!member.name.empty() && member.name.size() <= 256, "a member without a usable name");
  }
  SerfMessage again;
  const auto exact = readSerfMessage(std::string_view(bytes).substr(0, *taken), has_body, again);
  fuzz::require(exact.ok() && *exact == *taken && again.members.size() == message.members.size(),
                "a message that reads otherwise when nothing follows it");
  const auto cut = readSerfMessage(std::string_view(bytes).substr(0, *taken - 1), has_body, again);
  fuzz::require(cut.ok() && *cut == 0, "a message that is whole without its last byte");
  return 0;
}

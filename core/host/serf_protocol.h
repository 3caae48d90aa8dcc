// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

/// The RPC protocol of a serf agent (https://github.com/hashicorp/serf, docs/agent/rpc): MessagePack over TCP, a header
/// and perhaps a body in either direction. Pure.
namespace vcc {

enum class MemberStatus : std::uint8_t { kAlive, kLeft, kFailed };

/// What serf says of one of its members. The name is what the agent on that machine chose: hostile input.
struct SerfMember {
  std::string name;
  MemberStatus status = MemberStatus::kAlive;
};

/// {"Command": command, "Seq": seq}, and the body where there is one.
std::string serfRequest(std::string_view command, std::uint64_t seq);
std::string serfHandshake(std::uint64_t seq);
std::string serfStream(std::uint64_t seq);  ///< of joins, leaves and failures

struct SerfMessage {
  std::uint64_t seq = 0;
  std::string error;                ///< of the request; empty = none
  std::vector<SerfMember> members;  ///< in the body; those of an event with the status that it gives them
};

/// Reads one message from the front of `bytes`, with a body when `has_body` says so of its seq. Returns the bytes it
/// took; 0 = it is not whole yet. kInternal for what is no such message. Members without a name of 1 to 256 bytes, and
/// those that are leaving, are left out.
Result<std::size_t> readSerfMessage(std::string_view bytes, const std::function<bool(std::uint64_t seq)>& has_body,
                                    SerfMessage& message);

}  // namespace vcc

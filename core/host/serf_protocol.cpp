// SPDX-License-Identifier: Apache-2.0
#include "host/serf_protocol.h"

#include <optional>

#include "base/encoding.h"
#include "host/msgpack.h"

namespace vcc {

namespace {

constexpr std::size_t kNameLimit = 256;

std::optional<MemberStatus> statusOf(std::string_view word) {
  if (word == "alive" || word == "member-join") return MemberStatus::kAlive;
  if (word == "left" || word == "member-leave") return MemberStatus::kLeft;
  if (word == "failed" || word == "member-failed") return MemberStatus::kFailed;
  return std::nullopt;
}

bool readHeader(MsgpackReader& reader, SerfMessage& message) {
  const auto pairs = reader.mapSize();
  for (std::uint32_t i = 0; pairs && i < *pairs && !reader.failed(); ++i) {
    const auto key = reader.text();
    if (key == "Seq") {
      message.seq = reader.number().value_or(0);
    } else if (key == "Error") {
      message.error = cleanUtf8(reader.text().value_or(""), 200);
    } else {
      reader.skip();
    }
  }
  return !reader.failed();
}

void readMember(MsgpackReader& reader, std::vector<SerfMember>& members) {
  std::string_view name;
  std::optional<MemberStatus> status;
  const auto pairs = reader.mapSize();
  for (std::uint32_t i = 0; pairs && i < *pairs && !reader.failed(); ++i) {
    const auto key = reader.text();
    if (key == "Name") {
      name = reader.text().value_or("");
    } else if (key == "Status") {
      status = statusOf(reader.text().value_or(""));
    } else {
      reader.skip();
    }
  }
  if (!reader.failed() && status && !name.empty() && name.size() <= kNameLimit) {
    members.push_back({std::string(name), *status});
  }
}

bool readBody(MsgpackReader& reader, SerfMessage& message) {
  std::optional<MemberStatus> event;
  const auto pairs = reader.mapSize();
  for (std::uint32_t i = 0; pairs && i < *pairs && !reader.failed(); ++i) {
    const auto key = reader.text();
    if (key == "Event") {
      event = statusOf(reader.text().value_or(""));
    } else if (key == "Members") {
      const auto count = reader.arraySize();
      for (std::uint32_t m = 0; count && m < *count && !reader.failed(); ++m) readMember(reader, message.members);
    } else {
      reader.skip();
    }
  }
  for (SerfMember& member : message.members) {
    if (event) member.status = *event;
  }
  return !reader.failed();
}

}  // namespace

std::string serfRequest(std::string_view command, std::uint64_t seq) {
  std::string out;
  packMap(out, 2);
  packText(out, "Command");
  packText(out, command);
  packText(out, "Seq");
  packNumber(out, seq);
  return out;
}

std::string serfHandshake(std::uint64_t seq) {
  std::string out = serfRequest("handshake", seq);
  packMap(out, 1);
  packText(out, "Version");
  packNumber(out, 1);
  return out;
}

std::string serfStream(std::uint64_t seq) {
  std::string out = serfRequest("stream", seq);
  packMap(out, 1);
  packText(out, "Type");
  packText(out, "member-join,member-leave,member-failed");
  return out;
}

Result<std::size_t> readSerfMessage(std::string_view bytes, const std::function<bool(std::uint64_t seq)>& has_body,
                                    SerfMessage& message) {
  message = {};
  MsgpackReader reader(bytes);
  const bool whole =
      readHeader(reader, message) && (!message.error.empty() || !has_body(message.seq) || readBody(reader, message));
  if (whole) return reader.taken();
  if (reader.isShort()) return std::size_t{0};
  return internalError("what came is not a message of a serf agent");
}

}  // namespace vcc

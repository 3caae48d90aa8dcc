// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The two data types of the ssh protocol (RFC 4251 section 5) that keys are made of.
namespace vcc::ssh_wire {

std::string uint32(std::uint32_t value);
/// A length and the bytes.
std::string string(std::string_view bytes);

/// Takes values off the front of `rest`; nothing when it is too short.
std::optional<std::uint32_t> takeUint32(std::string_view& rest);
std::optional<std::string_view> takeString(std::string_view& rest);

/// "ssh-ed25519 AAAA...": the type and the base64 form of a public key blob. Empty when it is not one.
std::string keyLine(std::string_view blob);

}  // namespace vcc::ssh_wire

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "vcp/plugin/ext/crypto.h"

namespace vcc {

class HostServices;

/// "vcp.host.crypto/1": turns borrowed memory into checked values and back. Thread safe.
class CryptoExtension {
 public:
  /// `host` is borrowed and only used for reports of misbehaviour.
  explicit CryptoExtension(const HostServices& host);
  CryptoExtension(const CryptoExtension&) = delete;
  CryptoExtension& operator=(const CryptoExtension&) = delete;

  const vcp_crypto_t* table() const { return &table_; }

 private:
  static const CryptoExtension& of(const vcp_crypto_t* crypto);
  static std::int32_t sign(const vcp_crypto_t* crypto, std::int32_t kind, vcp_string_t private_key, vcp_string_t data,
                           const vcp_text_sink_t* out, vcp_error_t* error) noexcept;
  static std::int32_t encode(const vcp_crypto_t* crypto, std::int32_t alphabet, vcp_string_t bytes,
                             const vcp_text_sink_t* out) noexcept;
  static std::int32_t decode(const vcp_crypto_t* crypto, std::int32_t alphabet, vcp_string_t text,
                             const vcp_text_sink_t* out) noexcept;

  const HostServices& host_;
  vcp_crypto_t table_{};
};

}  // namespace vcc

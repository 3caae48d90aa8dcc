// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/Context.h>

#include <string>

#include "base/status.h"

namespace vcc {

/// A TLS client context for one server: TLS 1.2 or later, a chain to the given authorities, and a certificate for
/// `host` (name or address), all checked by OpenSSL inside the handshake. Both `ca_*` empty: the system's authorities.
/// Reads files. kInvalidArgument when `ca_file` or `ca_pem` holds no certificate.
Result<Poco::Net::Context::Ptr> makeClientTls(const std::string& host, const std::string& ca_file,
                                              const std::string& ca_pem);

}  // namespace vcc

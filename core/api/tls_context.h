// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/Context.h>

#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"

namespace vcc {

/// The TLS context of a listener: TLS 1.2 or newer, no session cache (clients open a connection per request and resume
/// none). `cert_file` is PEM, server certificate first, then its chain. kFailedPrecondition names the file and the
/// cause: unreadable, not PEM, key of another certificate, expired. One that ends within 14 days is a warning.
Result<Poco::Net::Context::Ptr> makeServerTls(const std::string& cert_file, const std::string& key_file,
                                              const Clock& clock, Logger& log);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status.h"

namespace vcc {

/// The TLS of listeners: TLS 1.2 or newer, sessions resumed by tickets (no memory here), buffers kept only while they
/// hold something. The certificate is read again when its files change. Thread safe.
class ServerTls {
 public:
  /// `cert_file` is PEM, server certificate first, then its chain; an ECDSA P-256 key makes the cheapest handshakes.
  /// kFailedPrecondition names the file and the cause: unreadable, not PEM, key of another certificate, expired. One
  /// that ends within 14 days is a warning. `clock` and `log` outlive the result.
  static Result<std::shared_ptr<ServerTls>> open(const std::string& cert_file, const std::string& key_file,
                                                 const Clock& clock, Logger& log);

  /// What a connection that begins now uses.
  std::shared_ptr<SSL_CTX> current() const;
  /// Looks whether a file has changed, or the key of the tickets is half a day old; if so, later connections use what
  /// the files hold now. When that is not good, the present certificate stays (TLS_RELOAD_FAILED). To be called often.
  void refresh();

 private:
  ServerTls(std::string cert_file, std::string key_file, const Clock& clock, Logger& log)
      : cert_file_(std::move(cert_file)), key_file_(std::move(key_file)), clock_(clock), log_(log) {}

  const std::string cert_file_;
  const std::string key_file_;
  const Clock& clock_;
  Logger& log_;
  mutable Mutex mutex_;
  std::shared_ptr<SSL_CTX> current_ VCC_GUARDED_BY(mutex_);
  std::string stamp_ VCC_GUARDED_BY(mutex_);  // of both files, when they were read
  std::int64_t renew_at_ms_ VCC_GUARDED_BY(mutex_) = 0;
};

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "api/tls_context.h"

#include <Poco/Crypto/X509Certificate.h>
#include <Poco/Exception.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "base/clock.h"

namespace vcc {
namespace {

constexpr std::int64_t kWarnDays = 14;
constexpr std::int64_t kRenewMs = kDayMs / 2;

Status readable(const std::string& what, const std::string& path) {
  if (path.empty()) return failedPrecondition(what + " is not set; name a PEM file in the configuration");
  if (::access(path.c_str(), R_OK) == 0) return okStatus();
  return failedPrecondition(what + " " + path + ": cannot be read: " + std::generic_category().message(errno) +
                            "; make a certificate with scripts/make-certs, or correct the path or its mode");
}

/// OpenSSL itself drops a key that does not fit the certificate without a word, and asks the terminal for a passphrase.
Status checkKey(const Poco::Crypto::X509Certificate& certificate, const std::string& cert_file,
                const std::string& key_file) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(key_file.c_str(), "re"), std::fclose);
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      file ? PEM_read_PrivateKey(file.get(), nullptr, no_passphrase, nullptr) : nullptr, EVP_PKEY_free);
  Status status;
  if (!key) {
    status = failedPrecondition("key_file " + key_file +
                                ": it holds no PEM private key, or one with a passphrase; give "
                                "the key of the certificate, without a passphrase");
  } else if (X509_check_private_key(certificate.certificate(), key.get()) != 1) {
    status = failedPrecondition("key_file " + key_file + ": it does not fit the certificate " + cert_file +
                                "; give the key that the certificate was made for");
  }
  ERR_clear_error();
  return status;
}

Status checkCertificate(const std::string& cert_file, const std::string& key_file, const Clock& clock, Logger& log) {
  try {
    const Poco::Crypto::X509Certificate certificate(cert_file);
    const std::int64_t left = certificate.expiresOn().timestamp().epochMicroseconds() / 1000 - clock.wallMs();
    if (left <= 0) {
      return failedPrecondition("cert_file " + cert_file + ": the certificate has expired; install a new one");
    }
    if (left < kWarnDays * kDayMs) {
      log.warn("TLS_CERTIFICATE_ENDS_SOON", "the server certificate ends soon",
               {{"file", cert_file}, {"days", left / kDayMs}});
    }
    return checkKey(certificate, cert_file, key_file);
  } catch (const Poco::Exception& e) {
    return failedPrecondition("cert_file " + cert_file + ": it is no PEM certificate: " + e.displayText());
  }
}

std::string lastTlsError() {
  std::array<char, 256> text{};
  ::ERR_error_string_n(::ERR_get_error(), text.data(), text.size());
  ::ERR_clear_error();
  return text.data();
}

Result<std::shared_ptr<SSL_CTX>> makeContext(const std::string& cert_file, const std::string& key_file,
                                             const Clock& clock, Logger& log) {
  VCC_RETURN_IF_ERROR(readable("cert_file", cert_file));
  VCC_RETURN_IF_ERROR(readable("key_file", key_file));
  VCC_RETURN_IF_ERROR(checkCertificate(cert_file, key_file, clock, log));
  ::ERR_clear_error();
  const std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_server_method()), ::SSL_CTX_free);
  const bool made = context && ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                    ::SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) == 1 &&
                    ::SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!made) {
    return failedPrecondition("cert_file " + cert_file + " with key_file " + key_file +
                              ": TLS refuses them: " + lastTlsError());
  }
  // What clients send may be a secret; the library wipes its copy once we have taken it.
  ::SSL_CTX_set_options(context.get(), SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A buffer of ours may have moved when a write is repeated; idle connections hold no buffers of the library's.
  ::SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // the tickets hold what is to be known
  ::SSL_CTX_set_num_tickets(context.get(), 1);
  return context;
}

/// Another text whenever one of the files is another.
std::string stampOf(const std::string& cert_file, const std::string& key_file) {
  std::string stamp;
  for (const std::string& file : {cert_file, key_file}) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) info = {};
    stamp += fmt::format("{}/{}/{}.{:09} ", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  return stamp;
}

}  // namespace

Result<std::shared_ptr<ServerTls>> ServerTls::open(const std::string& cert_file, const std::string& key_file,
                                                   const Clock& clock, Logger& log) {
  const std::shared_ptr<ServerTls> tls(new ServerTls(cert_file, key_file, clock, log));
  const MutexLock lock(tls->mutex_);
  tls->stamp_ = stampOf(cert_file, key_file);
  tls->renew_at_ms_ = clock.monoMs() + kRenewMs;
  VCC_ASSIGN_OR_RETURN(tls->current_, makeContext(cert_file, key_file, clock, log));
  return tls;
}

std::shared_ptr<SSL_CTX> ServerTls::current() const {
  const MutexLock lock(mutex_);
  return current_;
}

void ServerTls::refresh() {
  const std::string stamp = stampOf(cert_file_, key_file_);
  bool changed = false;
  {
    const MutexLock lock(mutex_);
    changed = stamp != stamp_;
    if (!changed && clock_.monoMs() < renew_at_ms_) return;
    stamp_ = stamp;
    renew_at_ms_ = clock_.monoMs() + kRenewMs;
  }
  Result<std::shared_ptr<SSL_CTX>> made = makeContext(cert_file_, key_file_, clock_, log_);
  if (!made.ok()) {
    log_.error("TLS_RELOAD_FAILED", "the present certificate stays: " + made.status().message());
    return;
  }
  if (changed)
    log_.info("TLS_RELOADED", "new connections use the certificate that is there now", {{"file", cert_file_}});
  const MutexLock lock(mutex_);
  current_ = *std::move(made);
}

}  // namespace vcc

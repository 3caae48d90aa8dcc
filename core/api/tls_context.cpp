// SPDX-License-Identifier: Apache-2.0
#include "api/tls_context.h"

#include <Poco/Crypto/X509Certificate.h>
#include <Poco/Exception.h>
#include <Poco/Net/SSLManager.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace vcc {
namespace {

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kWarnDays = 14;

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

}  // namespace

Result<Poco::Net::Context::Ptr> makeServerTls(const std::string& cert_file, const std::string& key_file,
                                              const Clock& clock, Logger& log) {
  VCC_RETURN_IF_ERROR(readable("cert_file", cert_file));
  VCC_RETURN_IF_ERROR(readable("key_file", key_file));
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
    VCC_RETURN_IF_ERROR(checkKey(certificate, cert_file, key_file));
  } catch (const Poco::Exception& e) {
    return failedPrecondition("cert_file " + cert_file + ": it is no PEM certificate: " + e.displayText());
  }
  try {
    Poco::Net::initializeSSL();
    Poco::Net::Context::Params params;
    params.certificateFile = cert_file;
    params.privateKeyFile = key_file;
    params.verificationMode = Poco::Net::Context::VERIFY_NONE;
    params.loadDefaultCAs = false;
    Poco::Net::Context::Ptr context = new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, params);
    context->requireMinimumProtocol(Poco::Net::Context::PROTO_TLSV1_2);
    context->disableStatelessSessionResumption();
    // What clients send may be a secret; the library wipes its copy once we have taken it.
    ::SSL_CTX_set_options(context->sslContext(), SSL_OP_CLEANSE_PLAINTEXT);
    return context;
  } catch (const Poco::Exception& e) {
    return failedPrecondition("cert_file " + cert_file + " with key_file " + key_file +
                              ": TLS refuses them: " + e.displayText());
  }
}

}  // namespace vcc

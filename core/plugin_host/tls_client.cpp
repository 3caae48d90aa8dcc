// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/tls_client.h"

#include <Poco/Exception.h>
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

namespace vcc {
namespace {

constexpr std::size_t kMaxPem = 1U << 20U;

Status addAuthorities(SSL_CTX* context, const std::string& pem) {
  if (pem.size() > kMaxPem) return invalidArgument("ca_pem has more than 1 MiB");
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  int count = 0;
  for (;; ++count) {
    const std::unique_ptr<X509, void (*)(X509*)> authority(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                           X509_free);
    if (!authority) break;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  }
  ERR_clear_error();
  return count > 0 ? okStatus() : invalidArgument("ca_pem holds no PEM certificate");
}

bool setPeer(SSL_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  unsigned char raw[sizeof(in6_addr)];
  if (inet_pton(AF_INET, host.c_str(), raw) == 1 || inet_pton(AF_INET6, host.c_str(), raw) == 1) {
    return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  }
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1;
}

}  // namespace

Result<Poco::Net::Context::Ptr> makeClientTls(const std::string& host, const std::string& ca_file,
                                              const std::string& ca_pem) {
  using Poco::Net::Context;
  try {
    Context::Params params;
    params.verificationMode = Context::VERIFY_STRICT;
    params.loadDefaultCAs = ca_file.empty() && ca_pem.empty();
    params.caLocation = ca_file;
    Context::Ptr context = new Context(Context::TLS_CLIENT_USE, params);
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    // Poco's own check after the handshake spares local hosts and asks global handlers; OpenSSL does the whole of it.
    context->enableExtendedCertificateVerification(false);
    SSL_CTX_set_verify(context->sslContext(), SSL_VERIFY_PEER, nullptr);
    if (!setPeer(context->sslContext(), host)) return internalError("TLS: cannot set the expected host " + host);
    if (!ca_pem.empty()) VCC_RETURN_IF_ERROR(addAuthorities(context->sslContext(), ca_pem));
    return context;
  } catch (const Poco::Exception& e) {
    return invalidArgument("ca_file " + ca_file + " cannot be used: " + e.displayText());
  }
}

}  // namespace vcc

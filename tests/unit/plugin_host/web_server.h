// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "support/fake_server.h"

namespace vcc::test {

/// A response with Content-Length.
inline std::string answer(const std::string& body, const std::string& status = "200 OK", const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

/// An HTTP server, with TLS when a certificate is given, that answers each request as `handle` says; nullopt hangs up.
/// `handle` gets the head of the request and its number, from 1. One connection at a time.
class WebServer {
 public:
  using Handle = std::function<std::optional<std::string>(const std::string& head, int number)>;

  explicit WebServer(Handle handle, const std::string& cert = "", const std::string& key = "")
      : handle_(std::move(handle)), tls_(nullptr, SSL_CTX_free), server_([this](int client) { serve(client); }) {
    if (cert.empty()) return;
    tls_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate_file(tls_.get(), cert.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(tls_.get(), key.c_str(), SSL_FILETYPE_PEM);
  }

  std::string url(const std::string& path = "/") const {
    return (tls_ ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(server_.port) + path;
  }
  int port() const { return server_.port; }

  std::atomic<int> connections{0};
  std::atomic<int> requests{0};

 private:
  void serve(int client) {
    ++connections;
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl(tls_ ? SSL_new(tls_.get()) : nullptr, SSL_free);
    if (ssl) {
      SSL_set_fd(ssl.get(), client);
      if (SSL_accept(ssl.get()) != 1) return;
    }
    std::string head;
    char byte = 0;
    while ((ssl ? SSL_read(ssl.get(), &byte, 1) : static_cast<int>(::recv(client, &byte, 1, 0))) == 1) {
      head += byte;
      if (!head.ends_with("\r\n\r\n")) continue;
      const std::optional<std::string> reply = handle_(head, ++requests);
      if (!reply) return;
      if (ssl) {
        SSL_write(ssl.get(), reply->data(), static_cast<int>(reply->size()));
      } else if (!FakeServer::say(client, *reply)) {
        return;
      }
      head.clear();
    }
  }

  const Handle handle_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> tls_;
  FakeServer server_;
};

}  // namespace vcc::test

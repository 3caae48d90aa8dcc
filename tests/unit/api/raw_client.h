// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "contract.h"

namespace vcc::test {

/// What came back, taken apart by hand so that no client library smooths anything over.
struct RawAnswer {
  int status = 0;
  std::string head;
  std::string body;

  std::string header(const std::string& name) const {
    std::string lower = head;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto at = lower.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

/// One TLS connection that sends bytes as they are. Anything that takes longer than 20 s throws.
class RawClient {
 public:
  explicit RawClient(int port, const Poco::Net::Session::Ptr& session = nullptr)
      : socket_(Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)), context(), session) {
    socket_.setReceiveTimeout(Poco::Timespan(20, 0));
    socket_.setSendTimeout(Poco::Timespan(20, 0));
  }

  void send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const int count = socket_.sendBytes(bytes.data() + sent, static_cast<int>(bytes.size() - sent));
      if (count <= 0) throw std::runtime_error("the server closed while we sent");
      sent += static_cast<std::size_t>(count);
    }
  }

  /// The next answer, held to the contract as one to `request`, of which the first line counts (a HEAD brings no body);
  /// nullopt when the server closed instead.
  std::optional<RawAnswer> receive(const std::string& request) {
    RawAnswer answer;
    std::size_t end = std::string::npos;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    answer.head = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const std::string method = request.substr(0, request.find(' '));
    if (method == "HEAD" || answer.status == 100) return answer;
    const std::size_t length = std::stoul(answer.header("content-length"));
    while (pending_.size() < length && more()) {
    }
    answer.body = pending_.substr(0, length);
    pending_.erase(0, length);
    const std::size_t target = std::min(method.size() + 1, request.size());
    holdToContract(method, request.substr(target, request.find_first_of(" \r\n", target) - target), answer.status,
                   answer.body);
    return answer;
  }

  RawAnswer ask(const std::string& request) {
    send(request);
    const auto answer = receive(request);
    if (!answer) throw std::runtime_error("the server closed without an answer");
    return *answer;
  }

  Poco::Net::Session::Ptr session() { return socket_.currentSession(); }
  bool resumed() { return socket_.sessionWasReused(); }
  /// The server's, as bytes of its own.
  std::string certificate() const {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(const_cast<X509*>(socket_.peerCertificate().certificate()), &bytes);
    std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return text;
  }

  /// True when the server has closed (or closes within the time limit).
  bool closed() { return pending_.empty() && !more(); }

 private:
  static Poco::Net::Context::Ptr context() {
    static const Poco::Net::Context::Ptr shared = [] {
      Poco::Net::Context::Ptr made =
          new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", "", Poco::Net::Context::VERIFY_NONE);
      made->enableSessionCache(true);
      return made;
    }();
    return shared;
  }

  bool more() {
    char buffer[16384];
    int count = 0;
    try {
      count = socket_.receiveBytes(buffer, sizeof(buffer));
    } catch (const Poco::TimeoutException&) {
      throw;
    } catch (const Poco::Exception&) {
      return false;
    }
    if (count <= 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  Poco::Net::SecureStreamSocket socket_;
  std::string pending_;
};

}  // namespace vcc::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string_view>

#include "base/executor.h"

namespace vcc::test {

/// A TCP server on a free loopback port that treats one client after the other as `serve` says. Ends with this object:
/// its destructor hangs up, which wakes a `serve` that waits in `waitForEnd` or sends.
class FakeServer {
 public:
  using Serve = std::function<void(int client)>;

  explicit FakeServer(Serve serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&where), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size) != 0) {
      throw std::runtime_error("fake server: cannot listen");
    }
    port = ntohs(where.sin_port);
    thread_ = Thread("fake-server", [this] { run(); });
  }
  ~FakeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    // A client that was accepted meanwhile shows up in client_ sooner or later; hanging up twice is harmless.
    ending_ = true;
    if (int client = client_; client >= 0) ::shutdown(client, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  /// Sends all of `text`; false when the client is gone.
  static bool say(int client, std::string_view text) {
    while (!text.empty()) {
      ssize_t sent = ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Reads and drops until the client hangs up.
  static void waitForEnd(int client) {
    char buffer[4096];
    while (::recv(client, buffer, sizeof buffer, 0) > 0) {
    }
  }

  int port = 0;

 private:
  void run() {
    for (;;) {
      int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      client_ = client;
      if (ending_) ::shutdown(client, SHUT_RDWR);
      serve_(client);
      client_ = -1;
      ::close(client);
    }
  }

  Serve serve_;
  int listener_ = -1;
  std::atomic<int> client_{-1};
  std::atomic<bool> ending_{false};
  Thread thread_;
};

}  // namespace vcc::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/TCPServerConnection.h>

#include "api/connection_set.h"
#include "api/http_server.h"

namespace vcc {

/// What all connections of a listener share.
struct ConnectionShared {
  HttpServerSeams seams;
  HttpServerOptions options;
  Poco::Net::HTTPServerParams::Ptr params;
  PeerCheck peer;
  ConnectionSet connections;
};

/// One client connection: reads heads and bodies within bounds, asks the service, answers. Poco's own connection class
/// answers nothing at all to a handler that throws a foreign exception, and HTML or empty bodies otherwise.
class HttpConnection final : public Poco::Net::TCPServerConnection {
 public:
  HttpConnection(const Poco::Net::StreamSocket& socket, std::shared_ptr<ConnectionShared> shared)
      : TCPServerConnection(socket), shared_(std::move(shared)) {}
  void run() override;

 private:
  bool serveOne(Poco::Net::HTTPServerSession& session, const std::string& peer);

  std::shared_ptr<ConnectionShared> shared_;
};

}  // namespace vcc

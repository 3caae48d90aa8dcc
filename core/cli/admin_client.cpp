// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_client.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <istream>
#include <ostream>
#include <system_error>

namespace vcc::cli {
namespace {

constexpr long kTimeoutSeconds = 30;

/// Poco turns the reasons of a failed connect into one text; people need to tell them apart.
Status tryConnect(const std::string& path) {
  const std::string object = "admin socket " + path + ": ";
  sockaddr_un address{};
  if (path.size() >= sizeof(address.sun_path)) {
    return invalidArgument(object + "the path is too long for a unix socket");
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return unavailable(object + "no socket can be made: " + std::generic_category().message(errno));
  const int connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  ::close(fd);
  if (connected == 0) return okStatus();
  switch (error) {
    case ENOENT:
      return unavailable(object +
                         "it does not exist; start the controller (occtr), or name its socket with --socket or "
                         "VCC_ADMIN_SOCKET");
    case ECONNREFUSED:
      return unavailable(object + "nobody answers there: the controller has ended; start it again");
    case EACCES:
    case EPERM:
      return permissionDenied(object + "permission denied; run vcc as root or as the user that runs the controller");
    default:
      return unavailable(object + "cannot connect: " + std::generic_category().message(error));
  }
}

Result<Json> readAnswer(int status, const std::string& text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Poco::Exception&) {
    return internalError("the controller answered " + std::to_string(status) + " with something that is not JSON");
  }
  if (status / 100 == 2) return json;
  const Code code = status == Poco::Net::HTTPResponse::HTTP_NOT_FOUND ? Code::kNotFound : Code::kFailedPrecondition;
  return Status(code, json.text("message"));
}

}  // namespace

Result<Json> askController(const std::string& socket_path, const std::string& method, const std::string& path,
                           const std::string& body) {
  VCC_RETURN_IF_ERROR(tryConnect(socket_path));
  try {
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, socket_path));
    Poco::Net::HTTPClientSession session(socket);
    session.setTimeout(Poco::Timespan(kTimeoutSeconds, 0));
    Poco::Net::HTTPRequest request(method, "/admin/v1" + path, Poco::Net::HTTPMessage::HTTP_1_1);
    request.set("Host", "localhost");
    request.setContentType("application/json");
    request.setContentLength(static_cast<std::streamsize>(body.size()));
    session.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    std::string text;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), text);
    return readAnswer(response.getStatus(), text);
  } catch (const Poco::Exception& e) {
    return unavailable("admin socket " + socket_path + ": the controller did not answer: " + e.displayText() +
                       "; look into its log");
  }
}

std::string urlPart(const std::string& text) {
  std::string out;
  Poco::URI::encode(text, "/?#&=+%:;,!*'()[]@$", out);
  return out;
}

}  // namespace vcc::cli

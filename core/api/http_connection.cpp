// SPDX-License-Identifier: Apache-2.0
#include "api/http_connection.h"

#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/NetException.h>

#include <array>

#include "api/body_reader.h"

namespace vcc {
namespace {

using Poco::Net::HTTPServerRequestImpl;
using Poco::Net::HTTPServerResponseImpl;
using Poco::Net::HTTPServerSession;

/// Calls what may throw anything; the one net of the API.
template <typename Call>
auto guarded(const ConnectionShared& shared, const HttpHead& head, Call call) -> std::optional<decltype(call())> {
  std::string cause;
  try {
    return call();
  } catch (const Poco::Exception& e) {
    cause = e.displayText();
  } catch (const std::exception& e) {
    cause = e.what();
  } catch (...) {
    cause = "an object that is no exception";
  }
  shared.seams.log.error("API_EXCEPTION", "a handler threw: " + cause,
                         {{"request", head.id}, {"method", head.method}, {"path", head.target}});
  return std::nullopt;
}

HttpHead readHead(const HTTPServerRequestImpl& request, std::string id, const std::string& peer) {
  HttpHead head;
  head.id = std::move(id);
  head.method = request.getMethod();
  head.target = request.getURI();
  head.token = request.get("x-vcc-access-token", "");
  head.privileged = request.get("x-vcc-privileged", "");
  head.vault_token = request.get("X-Vault-Token", "");
  const std::string authorization = request.get("Authorization", "");
  constexpr std::string_view kBearer = "Bearer ";
  if (head.vault_token.empty() && authorization.starts_with(kBearer)) {
    head.vault_token = authorization.substr(kBearer.size());
  }
  head.wrap_ttl = request.get("X-Vault-Wrap-TTL", "");
  head.peer = peer;
  return head;
}

void sendAnswer(HTTPServerResponseImpl& response, const HttpAnswer& answer, const std::string& id, bool keep_alive,
                bool with_body = true) {
  response.setStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
  response.setReason(Poco::Net::HTTPResponse::getReasonForStatus(response.getStatus()));
  response.setDate(Poco::Timestamp());
  const bool empty = answer.status == Poco::Net::HTTPResponse::HTTP_NO_CONTENT;
  if (!empty) response.setContentType("application/json");
  response.set("Cache-Control", "no-store");
  response.set("X-Request-Id", id);
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  response.setKeepAlive(keep_alive);
  if (!empty) response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
  // Not sendBuffer(): that keeps the last bytes back until the response object dies.
  std::ostream& out = response.send();
  if (with_body) out.write(answer.body.data(), static_cast<std::streamsize>(answer.body.size()));
  out.flush();
}

void logRequest(const ConnectionShared& shared, const HttpHead& head, const std::string& user, int status,
                std::int64_t started) {
  shared.seams.log.info("API_REQUEST", "",
                        {{"request", head.id},
                         {"method", head.method},
                         {"path", head.target.substr(0, head.target.find('?'))},
                         {"status", status},
                         {"ms", shared.seams.clock.monoMs() - started},
                         {"user", user.empty() ? "-" : user},
                         {"peer", head.peer}});
}

/// After a refusal that left a head half read: takes what the client still sends, so that it gets to read the answer
/// instead of a reset.
void drain(Poco::Net::StreamSocket socket, const Clock& clock) {
  constexpr std::int64_t kDrainMs = 1000;
  constexpr std::int64_t kDrainBytes = 1 << 20;
  std::array<char, 8192> piece{};
  const std::int64_t deadline = clock.monoMs() + kDrainMs;
  for (std::int64_t taken = 0; taken < kDrainBytes && clock.monoMs() < deadline;) {
    if (!socket.poll(Poco::Timespan((deadline - clock.monoMs()) * 1000), Poco::Net::Socket::SELECT_READ)) return;
    const int got = socket.receiveBytes(piece.data(), static_cast<int>(piece.size()));
    if (got <= 0) return;
    taken += got;
  }
}

/// The body, or the answer that refuses it.
std::optional<HttpAnswer> takeBody(const ConnectionShared& shared, HTTPServerRequestImpl& request,
                                   HTTPServerResponseImpl& response, BodyReader& reader, std::string& body) {
  const HttpHandler& service = shared.seams.service;
  const auto too_long = [&service] {
    return service.refuse(HttpRefusal::kBodyTooLarge, "body of the request: it is longer than 10 MiB");
  };
  if (reader.tooLong()) return too_long();
  if (request.getExpectContinue()) response.sendContinue();
  switch (reader.read(body)) {
    case BodyReader::End::kComplete:
      return std::nullopt;
    case BodyReader::End::kTooLong:
      return too_long();
    case BodyReader::End::kTimeout:
      return service.refuse(HttpRefusal::kTimeout, "body of the request: it did not arrive in time");
    case BodyReader::End::kTruncated:
      break;
  }
  return service.refuse(invalidArgument("body of the request: it is shorter than Content-Length says"), "");
}

}  // namespace

bool HttpConnection::serveOne(HTTPServerSession& session, const std::string& peer) {
  const HttpServerSeams& seams = shared_->seams;
  const std::int64_t started = seams.clock.monoMs();
  std::string id = randomHex(seams.random, 4);
  HTTPServerResponseImpl response(session);
  std::optional<HTTPServerRequestImpl> request;
  try {
    request.emplace(response, session, shared_->params.get());
  } catch (const Poco::Net::NoMessageException&) {
    return false;  // the client is done
  } catch (const Poco::Exception&) {
    if (session.networkException() != nullptr) return false;
    HttpHead head;
    head.id = id;
    head.method = head.target = "-";
    head.peer = peer;
    const Status bad = invalidArgument(
        "head of the request: it is not HTTP, or a line or the number of headers is over "
        "the limit (16 KiB URL, 8 KiB a header, 100 headers)");
    sendAnswer(response, seams.service.refuse(bad, id), id, false);
    logRequest(*shared_, head, "", 400, started);
    drain(socket(), seams.clock);
    return false;
  }
  response.setVersion(request->getVersion());
  const HttpHead head = readHead(*request, std::move(id), peer);
  BodyReader reader(*request, seams.clock, shared_->options.body_timeout_ms);

  const auto broken = [&] { return seams.service.refuse(internalError("a handler threw"), head.id); };
  Admission admission;
  if (!reader.framing().ok()) {
    admission.refusal = seams.service.refuse(reader.framing(), head.id);
  } else if (auto admitted = guarded(*shared_, head, [&] { return seams.service.admit(head); })) {
    admission = *std::move(admitted);
  } else {
    admission.refusal = broken();
  }
  std::string body;
  if (!admission.refusal) admission.refusal = takeBody(*shared_, *request, response, reader, body);
  std::optional<HttpAnswer> answered = std::move(admission.refusal);
  if (!answered) answered = guarded(*shared_, head, [&] { return admission.run(std::move(body)); });
  const HttpAnswer answer = answered ? *std::move(answered) : broken();

  const bool keep_alive = reader.finish() && request->getKeepAlive() && session.canKeepAlive();
  sendAnswer(response, answer, head.id, keep_alive, head.method != "HEAD");
  logRequest(*shared_, head, admission.user, answer.status, started);
  session.setKeepAlive(keep_alive);
  if (!keep_alive) reader.linger();
  return keep_alive;
}

void HttpConnection::run() {
  Logger& log = shared_->seams.log;
  const Result<std::string> peer = shared_->peer(socket());
  if (!peer.ok()) {
    log.warn("API_PEER_REFUSED", peer.status().message());
    return;
  }
  ConnectionSet::Entry entry(shared_->connections, socket());
  try {
    HTTPServerSession session(socket(), shared_->params);
    while (session.hasMoreRequests()) {
      if (!entry.setBusy(true)) return;
      const bool more = serveOne(session, *peer);
      if (!entry.setBusy(false) || !more) return;
    }
  } catch (const Poco::Exception& e) {
    // A client that went away, or that speaks no TLS.
    log.debug("API_CONNECTION_LOST", e.displayText(), {{"peer", *peer}});
  } catch (const std::exception& e) {
    log.error("API_CONNECTION_FAILED", e.what(), {{"peer", *peer}});
  }
}

}  // namespace vcc

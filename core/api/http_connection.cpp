// SPDX-License-Identifier: Apache-2.0
#include "api/http_connection.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/HTTPResponse.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log_scope.h"

namespace vcc {
namespace {

using Io = Channel::Io;

constexpr std::size_t kPiece = 16384;             // a TLS record holds no more
constexpr std::size_t kShortRest = 64U << 10U;    // of a refused body: read off to keep the connection
constexpr std::size_t kLingerBytes = 64U << 20U;  // swallowed so that a client gets to read its answer, not a reset
constexpr std::int64_t kLingerMs = 5000;
constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int kNoContent = 204;

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
                         {{"method", head.method}, {"path", head.target.substr(0, head.target.find('?'))}});
  return std::nullopt;
}

std::string headOf(const HttpAnswer& answer, const std::string& id, std::int64_t now_ms, bool keep_alive) {
  const auto status = static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status);
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nCache-Control: no-store\r\nX-Request-Id: {}\r\nConnection: {}\r\n",
                  answer.status, Poco::Net::HTTPResponse::getReasonForStatus(status),
                  Poco::DateTimeFormatter::format(Poco::Timestamp(now_ms * 1000), Poco::DateTimeFormat::HTTP_FORMAT),
                  id, keep_alive ? "Keep-Alive" : "Close");
  if (answer.status != kNoContent) {
    head += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", answer.body.size());
  }
  for (const auto& [name, value] : answer.headers) head += fmt::format("{}: {}\r\n", name, value);
  head += "\r\n";
  return head;
}

void release(std::string& text) { std::string().swap(text); }

}  // namespace

HttpConnection::HttpConnection(std::unique_ptr<Channel> channel, std::string peer, ConnectionShared& shared)
    : shared_(shared),
      channel_(std::move(channel)),
      peer_(std::move(peer)),
      now_(shared.seams.clock.monoMs()),
      idle_since_(now_),
      deadline_(now_ + shared.options.head_ms),
      scan_(shared.options.head) {}

Wait HttpConnection::wait() const {
  Wait wait;
  wait.what = waits_for_;
  wait.until_ms = deadline_;
  wait.answers = phase_ == Phase::kBody || (phase_ == Phase::kHead && started_ != 0);
  wait.idle = phase_ == Phase::kOpen || phase_ == Phase::kHead || phase_ == Phase::kLinger;
  wait.idle_since_ms = idle_since_;
  return wait;
}

Wait HttpConnection::proceed() {
  now_ = shared_.seams.clock.monoMs();
  Step step = now_ < deadline_ ? Step::kOn : overdue();
  while (step == Step::kOn) step = this->step();
  return step == Step::kOver ? Wait() : wait();
}

HttpConnection::Step HttpConnection::step() {
  switch (phase_) {
    case Phase::kOpen: {
      const Io opened = channel_->open();
      if (opened == Io::kDone) phase_ = Phase::kHead;
      return waitFor(opened);
    }
    case Phase::kHead:
      return readHead();
    case Phase::kBody:
      return readBody();
    case Phase::kAnswer:
      return sendAnswer();
    case Phase::kLinger:
      return linger();
  }
  return Step::kOver;
}

HttpConnection::Step HttpConnection::waitFor(Io io) {
  switch (io) {
    case Io::kDone:
      return Step::kOn;
    case Io::kWaitRead:
      waits_for_ = Wait::For::kRead;
      return Step::kWait;
    case Io::kWaitWrite:
      waits_for_ = Wait::For::kWrite;
      return Step::kWait;
    case Io::kOver:
      break;
  }
  return Step::kOver;
}

/// The time of the phase is over.
HttpConnection::Step HttpConnection::overdue() {
  const bool in_head = phase_ == Phase::kHead && started_ != 0;
  if (!in_head && phase_ != Phase::kBody) return Step::kOver;
  if (in_head) beginRequest({});
  refuse(HttpRefusal::kTimeout,
         in_head ? "head of the request: it did not arrive in time" : "body of the request: it did not arrive in time");
  return Step::kOn;
}

/// Appends what came to `in_`. A piece takes a whole TLS record, so that nothing is left where epoll does not see it.
HttpConnection::Step HttpConnection::fill() {
  const std::size_t had = in_.size();
  in_.resize(had + kPiece);
  std::size_t got = 0;
  const Io io = channel_->read(in_.data() + had, kPiece, got);
  in_.resize(had + (io == Io::kDone ? got : 0));
  if (in_.empty()) release(in_);
  return waitFor(io);
}

HttpConnection::Step HttpConnection::flush() {
  const std::size_t all = out_.size() + out_body_.size() - body_begin_;
  while (sent_ < all) {
    const std::string_view rest = sent_ < out_.size()
                                      ? std::string_view(out_).substr(sent_)
                                      : std::string_view(out_body_).substr(body_begin_ + sent_ - out_.size());
    std::size_t taken = 0;
    const Io io = channel_->write(rest.data(), rest.size(), taken);
    if (io != Io::kDone) return waitFor(io);
    sent_ += taken;
  }
  release(out_);
  release(out_body_);
  body_begin_ = sent_ = 0;
  return Step::kOn;
}

HttpConnection::Step HttpConnection::readHead() {
  const std::size_t skipped = std::min(skip_, in_.size());
  skip_ -= skipped;
  in_.erase(0, skipped);
  if (started_ == 0) {
    while (in_.starts_with("\r\n")) in_.erase(0, 2);  // RFC 9112, 2.2
  }
  if (in_.empty()) return fill();
  if (started_ == 0) {
    started_ = now_;
    deadline_ = now_ + shared_.options.head_ms;
  }
  switch (scan_.scan(in_)) {
    case HeadScan::Found::kMore:
      return fill();
    case HeadScan::Found::kFault:
      beginRequest({});
      refuse(scan_.fault().refusal, scan_.fault().text);
      break;
    case HeadScan::Found::kEnd: {
      RequestHead head = parseHead(std::string_view(in_).substr(0, scan_.size()));
      in_.erase(0, scan_.size());
      beginRequest(std::move(head));
      admit();
      break;
    }
  }
  return Step::kOn;
}

void HttpConnection::beginRequest(RequestHead head) {
  head_ = std::move(head);
  ++requests_;
  head_.http.id = randomHex(shared_.seams.random, 4);
  head_.http.peer = peer_;
}

void HttpConnection::admit() {
  if (head_.fault) return refuse(head_.fault->refusal, head_.fault->text);
  const LogScope scope("request", head_.http.id);
  HttpHandler& service = shared_.seams.service;
  auto admitted = guarded(shared_, head_.http, [&] { return service.admit(head_.http); });
  if (!admitted) {
    admission_.refusal = service.refuse(internalError("a handler threw"), head_.http.id);
  } else {
    admission_ = *std::move(admitted);
  }
  if (admission_.refusal) {
    // A client that asked first may send its body or not; the others do.
    const bool skips = head_.body_bytes >= 0 && head_.body_bytes <= static_cast<std::int64_t>(kShortRest) &&
                       !(head_.expect_continue && head_.body_bytes > 0);
    if (skips) skip_ = static_cast<std::size_t>(head_.body_bytes);
    return answer(*std::move(admission_.refusal), skips);
  }
  body_.emplace(head_.body_bytes, static_cast<std::size_t>(shared_.options.body_bytes));
  phase_ = Phase::kBody;
  deadline_ = now_ + shared_.options.body_ms;
}

HttpConnection::Step HttpConnection::readBody() {
  in_.erase(0, body_->feed(in_));
  switch (body_->state()) {
    case BodyReader::State::kMore:
      break;
    case BodyReader::State::kComplete:
      runHandler();
      return Step::kOn;
    case BodyReader::State::kTooLong:
      refuse(HttpRefusal::kBodyTooLarge,
             fmt::format("body of the request: it is longer than {} bytes", shared_.options.body_bytes));
      return Step::kOn;
    case BodyReader::State::kBroken:
      refuse(HttpRefusal::kBadRequest, "body of the request: it is not in chunks as Transfer-Encoding says");
      return Step::kOn;
  }
  if (std::exchange(head_.expect_continue, false)) out_ = kGoOn;
  const Step flushed = flush();
  return flushed == Step::kOn ? fill() : flushed;
}

void HttpConnection::runHandler() {
  const LogScope scope("request", head_.http.id);
  std::optional<HttpAnswer> answered = guarded(shared_, head_.http, [&] { return admission_.run(body_->take()); });
  if (!answered) answered = shared_.seams.service.refuse(internalError("a handler threw"), head_.http.id);
  now_ = shared_.seams.clock.monoMs();
  answer(*std::move(answered), true);
}

/// Refuses a request of which nobody knows where it ends, or of which too much is still to come.
void HttpConnection::refuse(HttpRefusal refusal, std::string_view text) {
  const LogScope scope("request", head_.http.id);
  answer(shared_.seams.service.refuse(refusal, text), false);
}

/// Within a LogScope of the request.
void HttpConnection::answer(HttpAnswer answer, bool reusable) {
  reusable_ = reusable && head_.keep_alive && requests_ < shared_.options.keep_alive_requests && !shared_.stopping;
  logRequest(answer.status);
  out_.erase(0, sent_);  // what is left of "100 Continue" has to go first
  sent_ = 0;
  out_ += headOf(answer, head_.http.id, shared_.seams.clock.wallMs(), reusable_);
  if (head_.http.method != "HEAD" && answer.status != kNoContent) {
    // One record, or one segment, for what is small.
    body_begin_ = std::min(answer.body.size(), kPiece - std::min(kPiece, out_.size()));
    out_.append(answer.body, 0, body_begin_);
    out_body_ = std::move(answer.body);
  }
  phase_ = Phase::kAnswer;
  deadline_ = now_ + shared_.options.answer_ms;
}

HttpConnection::Step HttpConnection::sendAnswer() {
  const Step flushed = flush();
  if (flushed != Step::kOn) return flushed;
  const bool all_read = in_.empty() && body_ && body_->state() == BodyReader::State::kComplete;
  endRequest();
  if (!reusable_) {
    channel_->finish();
    if (all_read) return Step::kOver;
    release(in_);
    phase_ = Phase::kLinger;
    deadline_ = now_ + kLingerMs;
    return Step::kOn;
  }
  phase_ = Phase::kHead;
  idle_since_ = now_;
  deadline_ = now_ + (skip_ > 0 ? shared_.options.head_ms : shared_.options.keep_alive_ms);
  return in_.empty() ? waitFor(Io::kWaitRead) : Step::kOn;
}

void HttpConnection::endRequest() {
  if (in_.empty()) release(in_);
  scan_ = HeadScan(shared_.options.head);
  head_ = {};
  started_ = 0;
  admission_ = {};
  body_.reset();
}

HttpConnection::Step HttpConnection::linger() {
  const Step filled = fill();
  lingered_ += in_.size();
  in_.clear();
  return lingered_ > kLingerBytes ? Step::kOver : filled;
}

void HttpConnection::logRequest(int status) {
  const HttpHead& head = head_.http;
  shared_.seams.log.info("API_REQUEST", "",
                         {{"method", head.method.empty() ? "-" : head.method},
                          {"path", head.target.empty() ? "-" : head.target.substr(0, head.target.find('?'))},
                          {"status", status},
                          {"ms", now_ - started_},
                          {"user", admission_.user.empty() ? "-" : admission_.user},
                          {"peer", peer_}});
}

}  // namespace vcc

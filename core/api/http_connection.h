// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/body_reader.h"
#include "api/channel.h"
#include "api/http_head.h"
#include "api/http_server.h"

namespace vcc {

/// What all connections of a listener share. Outlives them.
struct ConnectionShared {
  HttpServerSeams seams;
  HttpServerOptions options;
  std::atomic<bool> stopping = false;  ///< answer what is under way, and end
};

/// What a connection waits for.
struct Wait {
  enum class For { kRead, kWrite, kNothing };  ///< kNothing: it is over
  For what = For::kNothing;
  std::int64_t until_ms = 0;  ///< of the monotonic clock; then `proceed` is called anyway
  bool answers = false;       ///< `proceed` at the end of the time tells the client so
  bool idle = false;          ///< no request is under way (a head that is not complete is none, an answered one too)
  std::int64_t idle_since_ms = 0;
};

/// One client connection as a machine that never waits for its client: heads, bodies and answers go as far as they go,
/// and the rest is for when the socket is ready. Only handlers take their time. One thread at a time.
class HttpConnection {
 public:
  HttpConnection(std::unique_ptr<Channel> channel, std::string peer, ConnectionShared& shared);
  /// Goes on until the client is waited for.
  Wait proceed();
  /// What it waits for now; before the first `proceed`, for the first byte.
  Wait wait() const;

 private:
  enum class Phase { kOpen, kHead, kBody, kAnswer, kLinger };
  enum class Step { kOn, kWait, kOver };

  Step step();
  Step readHead();
  Step readBody();
  Step sendAnswer();
  Step linger();
  Step fill();
  Step flush();
  Step waitFor(Channel::Io io);
  Step overdue();
  void beginRequest(RequestHead head);
  void admit();
  void runHandler();
  void refuse(HttpRefusal refusal, std::string_view text);
  void answer(HttpAnswer answer, bool reusable);
  void endRequest();
  void logRequest(int status);

  ConnectionShared& shared_;
  std::unique_ptr<Channel> channel_;
  const std::string peer_;
  Phase phase_ = Phase::kOpen;
  std::int64_t now_;         // of the present call
  std::int64_t idle_since_;  // without a request
  std::int64_t deadline_;    // of the phase
  Wait::For waits_for_ = Wait::For::kRead;
  std::int64_t requests_ = 0;

  std::string in_;        // what came and is not taken yet
  std::size_t skip_ = 0;  // bytes of a refused body that are still to come and mean nothing
  HeadScan scan_;

  // The request under way.
  RequestHead head_;
  std::int64_t started_ = 0;  // its first byte; 0 before
  Admission admission_;
  std::optional<BodyReader> body_;

  // Its answer.
  std::string out_;       // to be sent first: the head, and what of the body fits behind it
  std::string out_body_;  // then this from `body_begin_` on
  std::size_t body_begin_ = 0;
  std::size_t sent_ = 0;      // of both
  bool reusable_ = false;     // the connection, after it
  std::size_t lingered_ = 0;  // bytes thrown away after the last answer
};

}  // namespace vcc

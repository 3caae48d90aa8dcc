// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "plugin_host/http_transport.h"

/// Exchanges with a cloud in a file, one JSON object a line, without secrets (http_redaction.h):
///   {"method","url","headers":[[name,value],...],"body","status","response_headers":[...],"response","retry_after_ms"}
/// or, for a request without a response, "error" (the name of its code), "outcome" and "message" in place of the last
/// four. A body that is not UTF-8 stands in base64 under "body_base64" or "response_base64". Evaluation only.
namespace vcc {

/// What a recording has of one exchange.
struct HttpExchange {
  std::string method;
  std::string url;
  HttpHeaders headers;
  std::string body;
  Result<HttpResponse> response = Status(Code::kUnknown, "");
};

/// The exchange as it may be written down. `secrets` are those of the call (HttpRequest::credentials).
HttpExchange redacted(const HttpRequest& request, const Result<HttpResponse>& response);
std::string toLine(const HttpExchange& exchange);
/// kInvalidArgument names the member that is missing or wrong.
Result<HttpExchange> fromLine(const std::string& line);

/// Sends through another transport and writes each exchange down as soon as it has ended.
class HttpRecorder final : public HttpTransport {
 public:
  HttpRecorder(HttpTransport& lower, std::unique_ptr<std::ostream> out) : lower_(lower), out_(std::move(out)) {}
  Result<HttpResponse> send(const HttpRequest& request) override;

 private:
  HttpTransport& lower_;
  Mutex mutex_;
  const std::unique_ptr<std::ostream> out_ VCC_PT_GUARDED_BY(mutex_);
};

/// Answers from a recording, without any network. A request gets the first answer not yet given to one like it: the
/// same method, URL and body, secrets left out. Drivers that ask in parallel may do so in another order than they did.
/// One that was not recorded fails (kFailedPrecondition, not applied) with its first difference from the next in line.
class HttpReplayer final : public HttpTransport {
 public:
  /// `text`: the whole recording. kInvalidArgument names the line.
  static Result<std::unique_ptr<HttpReplayer>> open(const std::string& text);
  Result<HttpResponse> send(const HttpRequest& request) override;

 private:
  struct Line {
    HttpExchange exchange;
    bool served = false;
  };
  explicit HttpReplayer(std::vector<Line> lines) : lines_(std::move(lines)) {}

  Mutex mutex_;
  std::vector<Line> lines_ VCC_GUARDED_BY(mutex_);
};

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/http_recording.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "model/json_tree.h"
#include "plugin_host/call_secrets.h"
#include "plugin_host/http_redaction.h"

namespace vcc {
namespace {

constexpr std::size_t kShown = 60;

YamlValue headerList(const HttpHeaders& headers) {
  YamlValue list = YamlValue::list();
  for (const auto& [name, value] : headers) list.items.push_back(YamlValue::texts({name, value}));
  return list;
}

void addBody(YamlValue& line, const std::string& name, const std::string& body) {
  if (isUtf8(body)) {
    line.add(name, YamlValue::scalar(body));
  } else {
    line.add(name + "_base64", YamlValue::scalar(base64Encode(body)));
  }
}

/// Reads the members of one line; what is wrong is kept for the end.
class LineReader {
 public:
  explicit LineReader(const YamlValue& line) : line_(line) {}

  bool has(std::string_view name) const { return line_.find(name) != nullptr; }
  std::string text(std::string_view name) {
    const YamlValue* value = line_.find(name);
    if (value != nullptr && value->isScalar()) return value->text;
    fail(name, "must be a text");
    return {};
  }
  std::int64_t number(std::string_view name) {
    const std::string digits = text(name);
    std::int64_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) fail(name, "must be a number");
    return value;
  }
  std::string body(const std::string& name) {
    if (!has(name + "_base64")) return text(name);
    const Result<std::string> bytes = base64Decode(text(name + "_base64"));
    if (bytes.ok()) return *bytes;
    fail(name + "_base64", "is not base64");
    return {};
  }
  HttpHeaders headers(std::string_view name) {
    HttpHeaders out;
    const YamlValue* list = line_.find(name);
    if (list == nullptr || !list->isList()) fail(name, "must be a list");
    for (const YamlValue& pair : list == nullptr ? std::vector<YamlValue>() : list->items) {
      if (pair.items.size() != 2 || !pair.items[0].isScalar() || !pair.items[1].isScalar()) {
        fail(name, "must have pairs of name and value");
      } else {
        out.emplace_back(pair.items[0].text, pair.items[1].text);
      }
    }
    return out;
  }
  const Status& status() const { return status_; }

 private:
  void fail(std::string_view name, const std::string& what) {
    if (status_.ok()) status_ = invalidArgument("member '" + std::string(name) + "' " + what);
  }

  const YamlValue& line_;
  Status status_;
};

std::optional<Code> parseCode(const std::string& name) {
  for (std::int32_t code = 1; code <= static_cast<std::int32_t>(Code::kUnauthenticated); ++code) {
    if (codeName(static_cast<Code>(code)) == name) return static_cast<Code>(code);
  }
  return std::nullopt;
}

/// "at byte 7: "abc..." instead of "abd..."".
std::string difference(const std::string& asked, const std::string& recorded) {
  const auto parted = std::mismatch(asked.begin(), asked.end(), recorded.begin(), recorded.end());
  const auto at = static_cast<std::size_t>(parted.first - asked.begin());
  return "at byte " + std::to_string(at) + ": '" + cleanUtf8(std::string_view(asked).substr(at), kShown) +
         "' instead of '" + cleanUtf8(std::string_view(recorded).substr(at), kShown) + "'";
}

bool isLike(const HttpExchange& a, const HttpExchange& b) {
  return a.method == b.method && a.url == b.url && a.body == b.body;
}

std::string firstDifference(const HttpExchange& asked, const HttpExchange& recorded) {
  if (asked.method != recorded.method) return "its method is " + asked.method + " instead of " + recorded.method;
  if (asked.url != recorded.url) return "its URL differs " + difference(asked.url, recorded.url);
  return "its body differs " + difference(asked.body, recorded.body);
}

}  // namespace

HttpExchange redacted(const HttpRequest& request, const Result<HttpResponse>& response) {
  const Scrubber scrubber = request.credentials == nullptr ? Scrubber() : scrubberOf(*request.credentials);
  HttpExchange exchange;
  exchange.method = request.method;
  exchange.url = redactUrl(request.url, scrubber);
  exchange.headers = redactHeaders(request.headers, scrubber);
  exchange.body = redactBody(request.body, scrubber);
  if (response.ok()) {
    HttpResponse written = *response;
    written.headers = redactHeaders(written.headers, scrubber);
    written.body = redactBody(written.body, scrubber);
    exchange.response = std::move(written);
  } else {
    const Status error = response.status();
    exchange.response = Status(error.code(), scrubber.scrub(error.message()), error.outcome());
  }
  return exchange;
}

std::string toLine(const HttpExchange& exchange) {
  YamlValue line = YamlValue::map();
  line.add("method", YamlValue::scalar(exchange.method));
  line.add("url", YamlValue::scalar(exchange.url));
  line.add("headers", headerList(exchange.headers));
  addBody(line, "body", exchange.body);
  if (exchange.response.ok()) {
    line.add("status", YamlValue::scalar(std::to_string(exchange.response->status)));
    line.add("response_headers", headerList(exchange.response->headers));
    addBody(line, "response", exchange.response->body);
    line.add("retry_after_ms", YamlValue::scalar(std::to_string(exchange.response->retry_after_ms)));
  } else {
    const Status error = exchange.response.status();
    line.add("error", YamlValue::scalar(codeName(error.code())));
    line.add("outcome", YamlValue::scalar(std::to_string(static_cast<int>(error.outcome()))));
    line.add("message", YamlValue::scalar(error.message()));
  }
  return toJson(line);
}

Result<HttpExchange> fromLine(const std::string& line) {
  VCC_ASSIGN_OR_RETURN(const YamlValue tree, treeFromJson(line));
  LineReader reader(tree);
  HttpExchange exchange;
  exchange.method = reader.text("method");
  exchange.url = reader.text("url");
  exchange.headers = reader.headers("headers");
  exchange.body = reader.body("body");
  if (reader.has("error")) {
    const std::optional<Code> code = parseCode(reader.text("error"));
    const std::int64_t outcome = reader.number("outcome");
    if (!code || outcome < 0 || outcome > 3) return invalidArgument("member 'error' or 'outcome' is unknown");
    exchange.response = Status(*code, reader.text("message"), static_cast<Outcome>(outcome));
  } else {
    HttpResponse response;
    response.status = static_cast<int>(reader.number("status"));
    response.headers = reader.headers("response_headers");
    response.body = reader.body("response");
    response.retry_after_ms = reader.number("retry_after_ms");
    exchange.response = std::move(response);
  }
  if (!reader.status().ok()) return reader.status();
  return exchange;
}

Result<HttpResponse> HttpRecorder::send(const HttpRequest& request) {
  Result<HttpResponse> response = lower_.send(request);
  const std::string line = toLine(redacted(request, response));
  const MutexLock lock(mutex_);
  *out_ << line << '\n' << std::flush;
  return response;
}

Result<std::unique_ptr<HttpReplayer>> HttpReplayer::open(const std::string& text) {
  std::vector<Line> lines;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    ++number;
    if (end > begin) {
      Result<HttpExchange> exchange = fromLine(text.substr(begin, end - begin));
      if (!exchange.ok()) return Status(exchange.status().prepend("recording, line " + std::to_string(number)));
      lines.push_back({*std::move(exchange), false});
    }
    begin = end + 1;
  }
  return std::unique_ptr<HttpReplayer>(new HttpReplayer(std::move(lines)));
}

Result<HttpResponse> HttpReplayer::send(const HttpRequest& request) {
  const HttpExchange asked = redacted(request, HttpResponse{});
  const MutexLock lock(mutex_);
  const auto refuse = [&](const std::string& why) {
    return Status(Code::kFailedPrecondition,
                  "request " + asked.method + " " + asked.url + " is not in the recording: " + why + "; record again",
                  Outcome::kNotApplied);
  };
  const Line* next = nullptr;
  for (Line& line : lines_) {
    if (line.served) continue;
    if (isLike(asked, line.exchange)) {
      line.served = true;
      return line.exchange.response;
    }
    if (next == nullptr) next = &line;
  }
  if (next == nullptr) return refuse("all of its " + std::to_string(lines_.size()) + " exchanges have been served");
  return refuse(firstDifference(asked, next->exchange));
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <algorithm>
#include <utility>

namespace tiny {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::Outcome;
using vcp::plugin::SessionValue;
using vcp::plugin::textOf;

namespace {

constexpr std::int64_t kCallMs = 60'000;  // a token must outlive the call that it was taken for

Code codeOf(int status, const std::string& cloud_code) {
  if (cloud_code == "not_found") return Code::kNotFound;
  if (cloud_code == "quota_exceeded") return Code::kResourceExhausted;
  if (cloud_code == "disk_busy") return Code::kAborted;
  switch (status) {
    case 400:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 409:
      return Code::kAlreadyExists;
    case 404:  // without the cloud's own code it is a proxy's, and proves nothing
    case 429:
      return Code::kUnavailable;
    default:
      return status >= 500 ? Code::kUnavailable : Code::kInternal;
  }
}

Error refusal(const HttpResponse& response, const std::string& request) {
  const Json answer = Json::parse(response.body, nullptr, false);
  const bool told = answer.is_object() && answer.contains("error") && answer["error"].is_object();
  const Json reason = told ? answer["error"] : Json::object();
  const std::string cloud_code = textOf(reason, "code", "/error").value_or("");
  // A 4xx was refused before anything was done. Behind a 5xx anything may have happened.
  return Error(codeOf(response.status, cloud_code), response.status >= 500 ? Outcome::kUnknown : Outcome::kNotApplied,
               request + ": the cloud answered " + std::to_string(response.status) + " " +
                   textOf(reason, "message", "/error").value_or("(no JSON)"))
      .providerCode(cloud_code)
      .requestId(std::string(response.header("X-Request-Id")))
      .retryAfterMs(response.retry_after_ms);
}

/// For requests that ask for no change: whatever became of them, nothing was applied. Left as "unknown", such an error
/// would make the host look and wait before it sends the change.
template <class Read>
auto reading(Read&& read) {
  try {
    return read();
  } catch (const Error& e) {
    throw Error(e.code(), Outcome::kNotApplied, e.message())
        .providerCode(e.providerCode())
        .requestId(e.requestId())
        .retryAfterMs(e.retryAfterMs());
  }
}

Json parse(const HttpResponse& response, const std::string& request, Outcome outcome) {
  Json answer = Json::parse(response.body, nullptr, false);
  if (!answer.is_discarded()) return answer;
  throw Error(Code::kUnavailable, outcome, request + ": the cloud's answer is not JSON");
}

}  // namespace

Client::Client(const vcp::plugin::Http& http, const vcp::plugin::Session& session, const vcp::plugin::Call& call,
               std::string endpoint)
    : http_(http), session_(session), call_(call), endpoint_(std::move(endpoint)) {
  const Json credentials = vcp::plugin::parseObject(call.credentials(), "credentials");
  user_ = textOf(credentials, "user", "/credentials").value_or("");
  password_ = textOf(credentials, "password", "/credentials").value_or("");
}

Json Client::get(const std::string& path) {
  return reading([&] { return parse(send("GET", path, ""), "GET " + path, Outcome::kNotApplied); });
}

std::optional<Json> Client::find(const std::string& path) {
  try {
    return get(path);
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return std::nullopt;
    throw;
  }
}

std::vector<Json> Client::list(const std::string& path) {
  std::vector<Json> items;
  std::string after;
  do {
    const Json page = get(after.empty() ? path : path + "&after=" + after);
    for (const Json& item : page.at("items")) items.push_back(item);
    after = textOf(page, "next", "").value_or("");
  } while (!after.empty());
  return items;
}

Json Client::post(const std::string& path, const Json& body) { return change("POST", path, body.dump()); }

void Client::remove(const std::string& path) {
  try {
    change("DELETE", path, "");
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
  }
}

Json Client::change(const std::string& method, const std::string& path, const std::string& body) {
  const HttpResponse response = send(method, path, body);
  return response.body.empty() ? Json() : parse(response, method + " " + path, Outcome::kApplied);
}

// [send]
/// A response of 2xx. A token that the cloud no longer takes is replaced once: that is no answer to the request.
HttpResponse Client::send(const std::string& method, const std::string& path, const std::string& body) {
  for (bool first = true;; first = false) {
    const std::string token = session_.get(call_, "token", [&] { return reading([&] { return login(); }); });
    HttpRequest request;
    request.method = method;
    request.url = endpoint_ + path;
    request.account = user_;
    request.headers = {{"Authorization", "Bearer " + token}};
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
    HttpResponse response = http_.send(call_, request);
    if (response.status / 100 == 2) return response;
    if (response.status != 401 || !first) throw refusal(response, method + " " + path);
    session_.drop(call_, "token", token);
  }
}
// [send]

// [login]
SessionValue Client::login() {
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint_ + "/v2/login";
  request.account = user_;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = Json{{"user", user_}, {"password", password_}}.dump();
  const HttpResponse response = http_.send(call_, request);
  if (response.status != 200) throw refusal(response, "POST /v2/login");
  const Json answer = parse(response, "POST /v2/login", Outcome::kNotApplied);
  const std::int64_t life_ms = answer.at("expires_in").get<std::int64_t>() * 1000;
  return {answer.at("token").get<std::string>(), std::max<std::int64_t>(life_ms - kCallMs, 1)};
}
// [login]

}  // namespace tiny

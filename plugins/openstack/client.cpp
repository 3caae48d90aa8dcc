// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <utility>

#include "errors.h"
#include "fields.h"

namespace openstack {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

namespace {

constexpr int kMostPages = 1000;
constexpr std::int64_t kRememberMs = 30'000;
constexpr std::size_t kLongestKey = 128;  // of the session cache
constexpr std::uint64_t kLargestAnswer = 32U << 20U;
constexpr char kTokenKey[] = "token";
// The oldest that have what is asked for here, so that old clouds are served. Each service refuses the other's header.
constexpr char kComputeVersion[] = "2.19";  // descriptions of servers
constexpr char kVolumeVersion[] = "3.0";

const char* nameOf(Service service) {
  switch (service) {
    case Service::kCompute:
      return "compute";
    case Service::kNetwork:
      return "network";
    case Service::kImage:
      return "image";
    case Service::kVolume:
      break;
  }
  return "volume";
}

Error notApplied(const Error& error) {
  return Error(error.code(), Outcome::kNotApplied, error.message())
      .providerCode(error.providerCode())
      .requestId(error.requestId())
      .retryAfterMs(error.retryAfterMs());
}

/// Runs what only reads.
template <class Read>
auto reading(Read&& read) {
  try {
    return read();
  } catch (const Error& error) {
    throw notApplied(error);
  }
}

std::string described(const Change& what) {
  return what.method + " " + nameOf(what.service) + " " + what.path.substr(0, what.path.find('?'));
}

Json parsed(const HttpResponse& response, const std::string& what, Outcome outcome) {
  Json body = Json::parse(response.body, nullptr, false);
  if (!body.is_object()) throw Error(Code::kUnavailable, outcome, what + ": the cloud's answer cannot be read");
  return body;
}

/// Nova, Neutron and Cinder: "servers_links": [{"rel": "next"}]; Glance: "next".
bool hasMore(const Json& page, const char* key) {
  if (!textIn(page, "next").empty()) return true;
  for (const Json& link : partOf(page, (std::string(key) + "_links").c_str())) {
    if (textIn(link, "rel") == "next") return true;
  }
  return false;
}

/// Nothing is remembered under a key.
struct Missing {};

}  // namespace

Client::Client(const Services& services, const vcp::plugin::Call& call, const Site& site)
    : services_(services), call_(call), site_(site), credentials_(parseCredentials(call.credentials(), site)) {}

vcp::plugin::SessionValue Client::logIn() const {
  HttpRequest request;
  request.method = "POST";
  request.url = site_.auth_url + "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = authBody(credentials_, site_);
  request.account = credentials_.user.substr(0, 255);
  request.ca_file = site_.ca_file;
  request.ca_pem = site_.ca_pem;
  const HttpResponse response = services_.http.send(call_, request);
  if (response.status != 201 && response.status != 200) throw refusal(response, "POST identity /auth/tokens");
  const Opened opened = readLogin(response, site_, services_.host.wallMs());
  return {opened.login.toText(), opened.ttl_ms};
}

std::string Client::loginText() const {
  return services_.session.get(call_, kTokenKey, [&] { return reading([&] { return logIn(); }); });
}

Login Client::login() const { return Login::of(loginText()); }

/// A response of 2xx. A token that the cloud no longer takes is replaced once: its refusal applied nothing.
HttpResponse Client::send(const Change& what) const {
  for (bool first = true;; first = false) {
    const std::string kept = loginText();
    const Login login = Login::of(kept);
    const std::string service = nameOf(what.service);
    const auto endpoint = login.endpoints.find(service);
    if (endpoint == login.endpoints.end()) {
      throw Error(Code::kFailedPrecondition, Outcome::kNotApplied,
                  described(what) + ": the cloud's catalog has no " + service +
                      " service; the administrator can name one in endpoint_overrides");
    }
    HttpRequest request;
    request.method = what.method;
    request.url = endpoint->second + what.path;
    request.headers = {{"X-Auth-Token", login.token}, {"Accept", "application/json"}};
    std::string version = what.microversion;
    if (version.empty() && what.service == Service::kCompute) version = kComputeVersion;
    if (version.empty() && what.service == Service::kVolume) version = kVolumeVersion;
    if (!version.empty()) request.headers.emplace_back("OpenStack-API-Version", service + " " + version);
    if (!what.body.is_null()) {
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = what.body.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    request.account = login.project;
    request.max_response_bytes = kLargestAnswer;
    request.ca_file = site_.ca_file;
    request.ca_pem = site_.ca_pem;
    HttpResponse response = services_.http.send(call_, request);
    if (response.status / 100 == 2) return response;
    if (!first || !isOfToken(response)) throw refusal(response, described(what));
    services_.session.drop(call_, kTokenKey, kept);
  }
}

HttpResponse Client::read(Service service, const std::string& path) const {
  return reading([&] { return send({service, "GET", path, nullptr, ""}); });
}

Json Client::get(Service service, const std::string& path) const {
  return parsed(read(service, path), described({service, "GET", path, nullptr, ""}), Outcome::kNotApplied);
}

std::optional<Json> Client::find(Service service, const std::string& path) const {
  try {
    return get(service, path);
  } catch (const Error& error) {
    if (!isAbsent(error)) throw;
    return std::nullopt;
  }
}

void Client::each(Service service, const std::string& path, const char* key,
                  const std::function<void(const Json&)>& take) const {
  const std::string sign = path.find('?') == std::string::npos ? "?" : "&";
  std::string marker;
  for (int page = 0; page < kMostPages; ++page) {
    const Json answer = get(service, marker.empty() ? path : path + sign + "marker=" + encoded(marker));
    if (!answer.contains(key) || !answer[key].is_array()) {
      throw Error(Code::kUnavailable, Outcome::kNotApplied,
                  described({service, "GET", path, nullptr, ""}) + ": the cloud's answer has no " + key);
    }
    for (const Json& one : answer[key]) {
      take(one);
      marker = textIn(one, "id");
    }
    if (answer[key].empty() || !hasMore(answer, key)) return;
  }
  throw Error(Code::kInternal, Outcome::kNotApplied,
              described({service, "GET", path, nullptr, ""}) + ": more than 1000 pages; the cloud repeats itself?");
}

Json Client::change(const Change& what) const {
  const HttpResponse response = send(what);
  if (response.body.empty()) return nullptr;
  return parsed(response, described(what), Outcome::kUnknown);
}

std::string Client::remembered(const std::string& key, const std::function<std::string()>& ask) const {
  if (key.size() > kLongestKey) return ask();
  // The question needs the token, which is another value of the cache, and one claim at a time may be held.
  try {
    return services_.session.get(call_, key, []() -> vcp::plugin::SessionValue { throw Missing{}; });
  } catch (const Missing&) {
    const std::string answer = ask();
    return services_.session.get(call_, key, [&] { return vcp::plugin::SessionValue{answer, kRememberMs}; });
  }
}

}  // namespace openstack

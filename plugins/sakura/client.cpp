// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include "errors.h"

namespace sakura {

using vcp::plugin::Code;
using vcp::plugin::Error;
using vcp::plugin::HttpRequest;
using vcp::plugin::HttpResponse;
using vcp::plugin::Json;
using vcp::plugin::Outcome;

namespace {

constexpr int kMostPages = 1000;
constexpr int kPage = 100;
constexpr std::uint64_t kMostBytes = 16U << 20U;

/// The whole query is one JSON text; '+' would not be read as a space.
std::string percentEncoded(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0x0FU];
    }
  }
  return out;
}

/// "Servers" of "server": the member of an answer that holds the list.
std::string listName(const std::string& kind) {
  std::string name = kind + "s";
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

}  // namespace

Client::Client(const Services& services, const vcp::plugin::Call& call, const Entry& entry)
    : services_(services), call_(call), entry_(entry), credentials_(parseCredentials(call.credentials())) {}

Json Client::send(const std::string& method, const std::string& path, const std::string& body) const {
  HttpRequest request;
  request.method = method;
  request.url = entry_.endpoint + path;
  request.headers = {
      {"Authorization", "Basic " + services_.crypto.base64(credentials_.token + ":" + credentials_.secret)}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  request.account = credentials_.token + "@" + entry_.zone;
  request.max_response_bytes = kMostBytes;
  const HttpResponse response = services_.http.send(call_, request);
  const std::string what = method + " " + path.substr(0, path.find('?'));
  if (response.status / 100 != 2) throw refusal(response, what);
  Json answer = Json::parse(response.body, nullptr, false);
  if (!answer.is_object()) {
    throw Error(Code::kUnavailable, Outcome::kUnknown, what + ": the answer is not a JSON object");
  }
  return answer;
}

Json Client::read(const std::string& path) const {
  try {
    return send("GET", path, "");
  } catch (const Error& error) {
    throw Error(error.code(), Outcome::kNotApplied, error.message())
        .providerCode(error.providerCode())
        .requestId(error.requestId())
        .retryAfterMs(error.retryAfterMs());
  }
}

std::vector<Json> Client::search(const std::string& kind, const Json& filter) const {
  std::vector<Json> found;
  for (int page = 0; page < kMostPages; ++page) {
    const Json query{{"Filter", filter}, {"From", found.size()}, {"Count", kPage}, {"Sort", {"ID"}}};
    const Json answer = read("/" + kind + "?" + percentEncoded(query.dump()));
    const auto list = answer.find(listName(kind));
    const auto total = answer.find("Total");
    if (list == answer.end() || !list->is_array() || total == answer.end() || !total->is_number_unsigned()) {
      throw Error(Code::kUnavailable, Outcome::kNotApplied, "GET /" + kind + ": the answer has no list or no Total");
    }
    found.insert(found.end(), list->begin(), list->end());
    if (list->empty() || found.size() >= total->get<std::size_t>()) return found;
  }
  throw Error(Code::kInternal, Outcome::kNotApplied,
              "GET /" + kind + ": more than 1000 pages; the cloud repeats itself?");
}

std::vector<Json> Client::named(const std::string& kind, const std::string& name) const {
  std::vector<Json> same;
  for (Json& object : search(kind, {{"Name", name}})) {
    const auto own = object.find("Name");
    if (own != object.end() && own->is_string() && own->get_ref<const std::string&>() == name) {
      same.push_back(std::move(object));
    }
  }
  return same;
}

Json Client::change(const std::string& method, const std::string& path, const Json& body) const {
  return send(method, path, body.is_null() ? "" : body.dump());
}

}  // namespace sakura

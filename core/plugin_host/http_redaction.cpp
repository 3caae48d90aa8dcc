// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/http_redaction.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/scrubber.h"

namespace vcc {
namespace {

bool isWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.'; }

/// Takes the values of secret parameters out of name=value&name=value.
std::string redactForm(std::string_view form) {
  std::string out;
  while (!form.empty()) {
    const std::string_view pair = form.substr(0, form.find('&'));
    const std::size_t equals = pair.find('=');
    if (equals != pair.npos && isSecretName(pair.substr(0, equals))) {
      out.append(pair.substr(0, equals + 1)).append(kScrubbed);
    } else {
      out.append(pair);
    }
    form.remove_prefix(pair.size());
    if (!form.empty()) {
      out += '&';
      form.remove_prefix(1);
    }
  }
  return out;
}

/// The end of the JSON string that begins at `at` with its quote; the place after the closing one.
std::size_t stringEnd(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

std::size_t skipSpace(std::string_view text, std::size_t at) {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  return at;
}

/// Takes the values of secret members out of JSON and of secret elements out of XML, and leaves every other byte as it
/// is.
std::string redactMembers(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '<') {
      const std::size_t end = text.find_first_of("<>", at + 1);
      const std::size_t close = end == text.npos ? end : text.find('<', end);
      const bool secret =
          close != text.npos && text[end] == '>' && isSecretName(text.substr(at + 1, end - at - 1)) && close > end + 1;
      const std::size_t next = end == text.npos ? text.size() : end + (text[end] == '>' ? 1 : 0);
      out.append(text.substr(at, next - at)).append(secret ? kScrubbed : "");
      at = secret ? close : next;
      continue;
    }
    if (text[at] != '"') {
      out += text[at++];
      continue;
    }
    const std::size_t end = stringEnd(text, at);
    const std::string_view word = text.substr(at, end - at);
    out.append(word);
    const std::size_t colon = skipSpace(text, end);
    const std::size_t value = colon < text.size() && text[colon] == ':' ? skipSpace(text, colon + 1) : text.size();
    at = end;
    if (value < text.size() && text[value] == '"' && word.size() > 2 && isSecretName(word.substr(1, word.size() - 2))) {
      out.append(text.substr(end, value - end)).append("\"").append(kScrubbed).append("\"");
      at = stringEnd(text, value);
    }
  }
  return out;
}

bool isForm(std::string_view body) {
  const std::size_t equals = body.find('=');
  return equals != body.npos && equals > 0 &&
         std::all_of(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(equals), isWordChar);
}

}  // namespace

bool isSecretName(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  constexpr std::array<std::string_view, 8> kWords = {"authorization", "cookie",    "token",      "secret",
                                                      "password",      "signature", "credential", "assertion"};
  // Idempotency tokens and counters are no secrets, and a recording is of little use without them.
  constexpr std::array<std::string_view, 5> kHarmless = {"clienttoken", "client_token", "opc-retry-token", "nexttoken",
                                                         "next_token"};
  if (std::find(kHarmless.begin(), kHarmless.end(), lower) != kHarmless.end()) return false;
  return lower == "key" || lower == "api-key" || lower == "x-api-key" || lower == "access_key" ||
         lower == "private_key" ||
         std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return lower.find(word) != lower.npos; });
}

HttpHeaders redactHeaders(const HttpHeaders& headers, const Scrubber& scrubber) {
  HttpHeaders out;
  for (const auto& [name, value] : headers) {
    out.emplace_back(name, isSecretName(name) ? std::string(kScrubbed) : scrubber.scrub(value));
  }
  return out;
}

std::string redactUrl(const std::string& url, const Scrubber& scrubber) {
  const std::size_t query = url.find('?');
  if (query == url.npos) return scrubber.scrub(url);
  return scrubber.scrub(url.substr(0, query + 1) + redactForm(std::string_view(url).substr(query + 1)));
}

std::string redactBody(const std::string& body, const Scrubber& scrubber) {
  return scrubber.scrub(isForm(body) ? redactForm(body) : redactMembers(body));
}

}  // namespace vcc

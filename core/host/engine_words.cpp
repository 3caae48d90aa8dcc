// SPDX-License-Identifier: Apache-2.0
#include "host/engine_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kWordsLimit = 2048;
// A shorter value ("1", "yes") is no secret, and removing it everywhere would make the text unreadable.
constexpr std::size_t kSecretLength = 4;

void removeAll(std::string& text, std::string_view secret) {
  if (secret.size() < kSecretLength) return;
  for (std::size_t at = 0; (at = text.find(secret, at)) != text.npos; at += 3) text.replace(at, secret.size(), "***");
}

/// As an engine writes a value in double quotes.
std::string quoted(std::string_view value) {
  std::string out;
  for (char c : value) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

std::string engineWords(std::string_view printed, const std::vector<std::string>& environment) {
  std::string text(printed);
  std::vector<std::string> secrets;
  for (const auto& item : environment) {
    std::string_view value = std::string_view(item).substr(item.find('=') + 1);
    secrets.emplace_back(value);
    secrets.push_back(quoted(value));
    for (std::size_t at = value.find('\n'); at != value.npos; at = value.find('\n')) {
      secrets.emplace_back(value.substr(0, at));
      value.remove_prefix(at + 1);
    }
    secrets.emplace_back(value);
  }
  // The longest first: a value may be a part of another one.
  std::sort(secrets.begin(), secrets.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& secret : secrets) removeAll(text, secret);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  text.erase(0, text.find_first_not_of(" \n"));
  return cleanUtf8(text, kWordsLimit);
}

Status engineRefusal(const std::string& words, Code otherwise) {
  std::string lower = words;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::string said = words.empty() ? "the engine refused and gave no reason" : words;
  if (contains(lower, "container name") && contains(lower, "already in use")) {
    return {Code::kAlreadyExists, said, Outcome::kNotApplied};
  }
  if (contains(lower, "no such container") || contains(lower, "no container with")) {
    return {Code::kNotFound, said, Outcome::kNotApplied};
  }
  if (contains(lower, "no such image") || contains(lower, "image not known") ||
      contains(lower, "unable to find image")) {
    return {Code::kNotFound, said + "; the image is not on the host any more: it is pulled again at the next try",
            Outcome::kNotApplied};
  }
  if (contains(lower, "already in progress") || contains(lower, "cannot connect to the docker daemon")) {
    return {Code::kUnavailable, said + "; tried again later", Outcome::kUnknown};
  }
  return {otherwise, said, Outcome::kUnknown};
}

std::string layersText(std::string_view counts) {
  constexpr std::size_t kDigits = 4;
  const std::size_t space = counts.find(' ');
  if (space == counts.npos) return {};
  const std::string_view done = counts.substr(0, space);
  const std::string_view all = counts.substr(space + 1);
  for (const std::string_view number : {done, all}) {
    const bool is_number =
        !number.empty() && number.size() <= kDigits && number.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_number) return {};
  }
  return all == "0" ? std::string() : fmt::format("{} of {} layers", done, all);
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "base/scrubber.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kShortestLine = 16;

bool isUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percentEncoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (isUnreserved(c)) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string jsonEscaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace

Scrubber::Scrubber(const std::vector<SecretString>& values) {
  for (const SecretString& value : values) {
    const std::string& text = value.reveal();
    if (text.size() < kShortest) continue;
    add(text);
    add(jsonEscaped(text));
    add(percentEncoded(text));
    add(base64Encode(text));
    for (std::size_t begin = 0; begin < text.size() && text.find('\n') != text.npos;) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const bool frame = text.compare(begin, 5, "-----") == 0;
      if (!frame && end - begin >= kShortestLine) add(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  std::stable_sort(forms_.begin(), forms_.end(),
                   [](const SecretString& a, const SecretString& b) { return a.size() > b.size(); });
}

void Scrubber::add(const std::string& form) {
  const bool known =
      std::any_of(forms_.begin(), forms_.end(), [&](const SecretString& f) { return f.reveal() == form; });
  if (!known) forms_.emplace_back(form);
}

std::string Scrubber::scrub(std::string_view text) const {
  std::string out(text);
  for (const SecretString& form : forms_) {
    for (std::size_t at = out.find(form.reveal()); at != out.npos; at = out.find(form.reveal(), at)) {
      out.replace(at, form.size(), kScrubbed);
      at += kScrubbed.size();
    }
  }
  return out;
}

}  // namespace vcc

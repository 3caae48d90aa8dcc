// SPDX-License-Identifier: Apache-2.0
#include "store/row_list.h"

#include <fmt/format.h>

namespace vcc {
namespace {

void appendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

/// Reads what encodeTextLists writes and nothing else: a byte that is not as expected means a damaged record.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool lists(TextLists& out) {
    return list([&] {
      std::vector<std::string> inner;
      if (!list([&] { return quoted(inner.emplace_back()); })) return false;
      out.push_back(std::move(inner));
      return true;
    });
  }
  bool atEnd() const { return rest_.empty(); }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  template <typename Element>
  bool list(Element element) {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
      if (!element()) return false;
    } while (take(','));
    return take(']');
  }

  bool quoted(std::string& out) {
    if (!take('"')) return false;
    while (!rest_.empty() && rest_.front() != '"') {
      if (take('\\')) {
        if (!escaped(out)) return false;
      } else {
        if (static_cast<unsigned char>(rest_.front()) < 0x20) return false;
        out += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    return take('"');
  }

  bool escaped(std::string& out) {
    for (const char c : {'"', '\\'}) {
      if (take(c)) {
        out += c;
        return true;
      }
    }
    if (rest_.size() < 5 || rest_.substr(0, 3) != "u00") return false;
    const int high = digit(rest_[3]);
    const int low = digit(rest_[4]);
    if (high < 0 || high > 1 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    rest_.remove_prefix(5);
    return true;
  }

  static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  }

  std::string_view rest_;
};

}  // namespace

std::string encodeTextLists(const TextLists& lists) {
  std::string out = "[";
  for (const auto& list : lists) {
    if (out.size() > 1) out += ',';
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out += ',';
      appendQuoted(out, list[i]);
    }
    out += ']';
  }
  out += ']';
  return out;
}

std::optional<TextLists> decodeTextLists(std::string_view text) {
  TextLists lists;
  Reader reader(text);
  if (!reader.lists(lists) || !reader.atEnd()) return std::nullopt;
  return lists;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "model/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <sstream>
#include <unordered_set>

#include "base/encoding.h"

namespace vcc {
namespace {

// Leaves the parser from inside a callback; never seen outside this file.
class Refusal : public std::exception {
 public:
  Refusal(const YAML::Mark& mark, std::string_view cause)
      : text_(fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, cause)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

// Builds the tree from the parser's events. The event interface, not YAML::Load: limits hold at each event, and an
// alias is refused when it is met instead of being expanded.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const YamlLimits& limits) : limits_(limits) {}

  YamlValue take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Refusal(mark, "a second document begins, but only one is expected");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, anchor, "");
    place(mark, YamlValue{});
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal(mark, "aliases (*name) are not allowed; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, anchor, tag);
    if (value.size() > limits_.scalar_bytes) {
      throw Refusal(mark,
                    fmt::format("a text has {} bytes, at most {} are allowed", value.size(), limits_.scalar_bytes));
    }
    if (value.find('\0') != std::string::npos) throw Refusal(mark, "a text holds a NUL character");
    YamlValue scalar = YamlValue::scalar(value);
    scalar.plain = tag == "?";
    place(mark, std::move(scalar));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlValue::list());
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlValue::map());
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  // A map or list whose members are still to come. A parent's storage does not move while a child is open: it only
  // grows when the next member is placed, and then the child is closed.
  struct Open {
    YamlValue* value;
    bool has_key = false;
    std::string key;
    std::unordered_set<std::string> keys;
  };

  void check(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    if (++values_ > limits_.values) {
      throw Refusal(mark, fmt::format("there are more than {} values", limits_.values));
    }
    if (anchor != YAML::NullAnchor) throw Refusal(mark, "anchors (&name) are not allowed");
    // yaml-cpp says "?" for no tag and "!" for a quoted text.
    if (!tag.empty() && tag != "?" && tag != "!") throw Refusal(mark, "tags (!name) are not allowed");
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlValue value) {
    check(mark, anchor, tag);
    if (open_.size() >= limits_.depth) {
      throw Refusal(mark, fmt::format("maps and lists are nested deeper than {}", limits_.depth));
    }
    open_.push_back(Open{place(mark, std::move(value)), false, {}, {}});
  }

  YamlValue* place(const YAML::Mark& mark, YamlValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Open& parent = open_.back();
    if (parent.value->isList()) return &parent.value->items.emplace_back(std::move(value));
    if (!parent.has_key) {
      if (!value.isScalar()) throw Refusal(mark, fmt::format("a key is {}, not a text", value.kindName()));
      if (!parent.keys.insert(value.text).second) {
        throw Refusal(mark, fmt::format("the key {} is given twice", quoteKey(value.text)));
      }
      parent.key = std::move(value.text);
      parent.has_key = true;
      return nullptr;
    }
    parent.has_key = false;
    return &parent.value->add(parent.key, std::move(value));
  }

  const YamlLimits& limits_;
  YamlValue root_;
  std::vector<Open> open_;
  std::size_t values_ = 0;
  std::size_t documents_ = 0;
};

// What must be known before yaml-cpp sees the text. YAML allows no other control characters, and yaml-cpp takes 0x04
// for the end. It reads a line of brackets to its end, at 240 bytes a token, before it reports the first of them: so
// characters that make tokens are counted here, generously, as quoted ones count too.
Status checkCharacters(std::string_view text, const YamlLimits& limits) {
  const std::size_t most_marks = 8 * limits.values;
  std::size_t marks = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f) {
      return invalidArgument(fmt::format("byte {}: the control character 0x{:02x} is not allowed", i, byte));
    }
    constexpr std::string_view kMarks = "[]{},\"'&*!";
    if (kMarks.find(text[i]) != std::string_view::npos && ++marks > most_marks) {
      return invalidArgument(fmt::format("there are more than {} brackets, commas and quotes", most_marks));
    }
  }
  if (!isUtf8(text)) return invalidArgument("the text is not UTF-8");
  return okStatus();
}

}  // namespace

const YamlValue* YamlValue::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string_view YamlValue::kindName() const {
  switch (kind) {
    case Kind::kScalar:
      return "a text";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
    default:
      return "empty";
  }
}

YamlValue YamlValue::scalar(std::string_view value) {
  YamlValue scalar = ofKind(Kind::kScalar);
  scalar.text = value;
  return scalar;
}

YamlValue YamlValue::texts(const std::vector<std::string>& values) {
  YamlValue result = list();
  for (const std::string& value : values) result.items.push_back(scalar(value));
  return result;
}

YamlValue& YamlValue::add(std::string_view key, YamlValue value) {
  return members.emplace_back(std::string(key), std::move(value)).second;
}

YamlValue YamlValue::ofKind(Kind kind) {
  YamlValue value;
  value.kind = kind;
  return value;
}

Result<YamlValue> readYaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    return invalidArgument(fmt::format("the text has {} bytes, at most {} are allowed", text.size(), limits.bytes));
  }
  VCC_RETURN_IF_ERROR(checkCharacters(text, limits));
  try {
    // The end of a document, said explicitly: else yaml-cpp accepts a double-quoted text that never ends.
    std::istringstream stream{fmt::format("{}{}...\n", text, text.ends_with('\n') ? "" : "\n")};
    YAML::Parser parser(stream);
    TreeBuilder builder(limits);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const YAML::Exception& e) {
    return invalidArgument(
        fmt::format("line {}, column {}: this is not YAML: {}", e.mark.line + 1, e.mark.column + 1, e.msg));
  } catch (const Refusal& refusal) {
    return invalidArgument(refusal.what());
  }
}

std::string quoteKey(std::string_view key) { return '"' + cleanUtf8(key, 64) + '"'; }

}  // namespace vcc

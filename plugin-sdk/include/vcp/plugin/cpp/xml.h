// SPDX-License-Identifier: Apache-2.0
#pragma once

// XML for drivers, behind this small view: pugixml (Debian: libpugixml-dev), linked statically into the plugin, which
// exports none of it. Why it is here and not lent by the host: docs/reading-json-and-xml.md of the SDK. Link
// `vcp::plugin_xml` to get it.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "vcp/plugin/cpp/error.h"

namespace vcp::plugin {

/// An element, or none: asking none for anything gives nothing, so a long way can be asked without looking at each
/// step. Names are as written, with their prefix. Cheap to copy; valid as long as its document.
class XmlNode {
 public:
  XmlNode() = default;

  explicit operator bool() const { return !node_.empty(); }
  std::string_view name() const { return node_.name(); }
  /// The text directly in it, references and CDATA resolved, white space kept unless there is nothing else.
  std::string text() const {
    std::string all;
    for (const pugi::xml_node& part : node_) {
      if (part.type() == pugi::node_pcdata || part.type() == pugi::node_cdata) all += part.value();
    }
    return all;
  }
  /// Empty also when there is none.
  std::string_view attribute(const std::string& name) const { return node_.attribute(name.c_str()).value(); }
  /// The first child element of this name.
  XmlNode child(const std::string& name) const { return XmlNode(node_.child(name.c_str())); }
  /// All child elements of this name, in order; of every name when it is empty.
  std::vector<XmlNode> children(std::string_view name = {}) const {
    std::vector<XmlNode> all;
    for (const pugi::xml_node& part : node_) {
      if (part.type() == pugi::node_element && (name.empty() || name == part.name())) all.push_back(XmlNode(part));
    }
    return all;
  }

 private:
  friend class XmlDocument;
  explicit XmlNode(const pugi::xml_node& node) : node_(node) {}
  pugi::xml_node node_;
};

/// What a cloud answered. Movable.
class XmlDocument {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{8} << 20U;
  static constexpr int kMaxDepth = 64;

  /// Reads a whole document in UTF-8, at most kMaxBytes long and kMaxDepth elements deep. `what` names it in the error
  /// ("RunInstances"). A document type is refused, so nothing but XML's own five entities and character references is
  /// ever replaced. Throws kUnavailable with unknown outcome: something that is not the cloud's API has answered, or
  /// half of it, and what the request did is not known. The text shows nothing of the document.
  static XmlDocument parse(std::string_view text, std::string_view what) {
    if (text.size() > kMaxBytes) throw unreadable(what, "has more than 8 MiB");
    if (text.find('\0') != std::string_view::npos) throw unreadable(what, "is not XML: it has a zero byte");
    XmlDocument document;
    const pugi::xml_parse_result result = document.tree_->load_buffer(
        text.data(), text.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
    if (result.status == pugi::status_out_of_memory) throw std::bad_alloc();
    const std::string_view begin = text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (startsWith(begin, "<!doctype html") || startsWith(begin, "<html")) {
      throw unreadable(what, "is an HTML page, not XML: is a proxy or a login page in between?");
    }
    // The parser passes over words before the root element; a byte order mark is none.
    if (begin.substr(0, 1) != "<" && begin.substr(0, 3) != "\xEF\xBB\xBF") throw unreadable(what, "is not XML");
    if (!result) {
      throw unreadable(
          what, "is not XML: " + std::string(result.description()) + " at byte " + std::to_string(result.offset));
    }
    document.check(what);
    return document;
  }

  XmlNode root() const { return XmlNode(tree_->document_element()); }

 private:
  XmlDocument() : tree_(std::make_unique<pugi::xml_document>()) {}

  static Error unreadable(std::string_view what, const std::string& why) {
    return Error(Code::kUnavailable, Outcome::kUnknown, std::string(what) + ": the answer " + why);
  }

  /// `word` is in lower case; the case of `text` does not matter.
  static bool startsWith(std::string_view text, std::string_view word) {
    if (text.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char c = text[i];
      if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[i]) return false;
    }
    return true;
  }

  void check(std::string_view what) const {
    for (const pugi::xml_node& node : *tree_) {
      if (node.type() == pugi::node_doctype) throw unreadable(what, "has a document type, which no cloud sends");
    }
    const XmlNode top = root();
    if (top.node_.next_sibling()) throw unreadable(what, "is not XML: something follows its root element");
    int depth = 1;  // walked without recursion
    for (pugi::xml_node at = top.node_; at;) {
      if (depth > kMaxDepth) throw unreadable(what, "is nested more than 64 deep");
      if (at.first_child()) {
        at = at.first_child();
        ++depth;
        continue;
      }
      while (at != top.node_ && !at.next_sibling()) {
        at = at.parent();
        --depth;
      }
      if (at == top.node_) break;
      at = at.next_sibling();
    }
  }

  std::unique_ptr<pugi::xml_document> tree_;
};

}  // namespace vcp::plugin

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "vcp/plugin/cpp/xml.h"

using namespace vcp::plugin;

namespace {

std::string nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "<a>";
  for (int i = 0; i < depth; ++i) text += "</a>";
  return text;
}

/// The text of the error; empty when the document was read.
std::string refusal(const std::string& text) {
  try {
    XmlDocument::parse(text, "RunInstances");
    return {};
  } catch (const Error& e) {
    CHECK(e.code() == Code::kUnavailable);
    CHECK(e.outcome() == Outcome::kUnknown);
    CHECK(e.message().rfind("RunInstances: the answer ", 0) == 0);
    CHECK(e.message().find("s3cret") == std::string::npos);
    return e.message();
  }
}

}  // namespace

TEST_CASE("xml: an answer of EC2 is read") {
  const XmlDocument answer = XmlDocument::parse(R"(<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment -->
<RunInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>59dbff89-35bd</requestId>
  <instancesSet>
    <item><instanceId>i-1</instanceId><instanceState><code>0</code><name>pending</name></instanceState></item>
    <other/>
    <item><instanceId>i-2</instanceId><tagSet><item><key>A &amp; B</key><value><![CDATA[<x>]]> &#x3042;</value></item></tagSet></item>
  </instancesSet>
</RunInstancesResponse>)",
                                                "RunInstances");
  XmlDocument document = XmlDocument::parse("<x/>", "x");
  document = XmlDocument::parse("\xEF\xBB\xBF<x a=\"1\">t<!-- c -->u<b/></x>\n", "x");
  CHECK(document.root().text() == "tu");
  CHECK(document.root().attribute("a") == "1");
  CHECK(document.root().attribute("b").empty());

  const XmlNode root = answer.root();
  CHECK(root.name() == "RunInstancesResponse");
  CHECK(root.text().empty());
  CHECK(root.child("requestId").text() == "59dbff89-35bd");
  const auto items = root.child("instancesSet").children("item");
  REQUIRE(items.size() == 2);
  CHECK(root.child("instancesSet").children().size() == 3);
  CHECK(items[0].child("instanceId").text() == "i-1");
  CHECK(items[0].child("instanceState").child("name").text() == "pending");
  const XmlNode tag = items[1].child("tagSet").child("item");
  CHECK(tag.child("key").text() == "A & B");
  CHECK(tag.child("value").text() == "<x> \xe3\x81\x82");

  const XmlNode none = root.child("Errors").child("Error");
  CHECK_FALSE(none);
  CHECK(none.name().empty());
  CHECK(none.text().empty());
  CHECK(none.children().empty());
  CHECK(none.attribute("a").empty());
}

TEST_CASE("xml: what is not an API's answer is refused, without showing it") {
  CHECK(refusal("\n <!DOCTYPE html><html><body>s3cret<br></body></html>").find("HTML page") != std::string::npos);
  CHECK(refusal("<HTML><body></body></HTML>").find("HTML page") != std::string::npos);
  CHECK(refusal("<a><b>s3cret</a>").find("at byte") != std::string::npos);
  for (const char* text : {"", " ", "s3cret", "{\"a\":1}", "s3cret <a/>", "<a/><b/>", "<a", "<a>", "<a b=c/>",
                           "<?xml version=\"1.0\"?>", "<a>&#x", "\xEF\xBB\xBF"}) {
    CAPTURE(text);
    const std::string why = refusal(text);
    CHECK(why.find("is not XML") != std::string::npos);
  }
  CHECK(refusal(std::string("<a>\0</a>", 8)).find("zero byte") != std::string::npos);
}

TEST_CASE("xml: no document type, no entities of its own") {
  const std::string bomb = "<!DOCTYPE a [<!ENTITY x \"s3cret\"><!ENTITY y \"&x;&x;&x;\">]><a>&y;</a>";
  CHECK(refusal(bomb).find("document type") != std::string::npos);
  CHECK(refusal("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>").find("document type") != std::string::npos);
  CHECK(XmlDocument::parse("<a>&y;</a>", "x").root().text() == "&y;");
}

TEST_CASE("xml: size and depth are bounded") {
  CHECK(refusal(nested(64)).empty());
  CHECK(refusal(nested(65)).find("64 deep") != std::string::npos);
  CHECK(refusal(nested(1'000'000)).find("64 deep") != std::string::npos);
  std::string wide = "<a>";
  while (wide.size() < 100'000) wide += "<b><c/></b>";
  CHECK(refusal(wide + "</a>").empty());
  const std::string most = "<a>" + std::string(XmlDocument::kMaxBytes - 7, 'x') + "</a>";
  CHECK(refusal(most).empty());
  CHECK(refusal(most + " ").find("8 MiB") != std::string::npos);
}

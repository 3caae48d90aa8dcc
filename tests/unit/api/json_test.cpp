// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "api/json_reader.h"
#include "api/json_writer.h"

using namespace vcc;

TEST_CASE("writer: nesting, commas, escapes") {
  JsonWriter json;
  json.beginObject().key("a").integer(-1).key("b").beginArray().boolean(true).string("x\t\"\\\x7f").endArray();
  json.key("c").beginObject().endObject().key("d").beginArray().endArray().key("e").raw("[1]").endObject();
  CHECK(json.take() == R"({"a":-1,"b":[true,"x\t\"\\\u007f"],"c":{},"d":[],"e":[1]})");
}

TEST_CASE("reader: what the client sends") {
  const auto body = JsonBody::parse(
      R"({"ip_address_list": ["172.30.2.1", "172.30.2.2"], "num_nodes": 2, "force": "true", "s": "\u65e5", "n": -7})");
  REQUIRE(body.ok());
  CHECK(body->texts("ip_address_list", 10).value() == std::vector<std::string>{"172.30.2.1", "172.30.2.2"});
  CHECK(body->integer("num_nodes", 0).value() == 2);
  CHECK(body->integer("n", 0).value() == -7);
  CHECK(body->flag("force", false).value());
  CHECK(body->text("s", "").value() == "\xE6\x97\xA5");
  CHECK(body->text("missing", "d").value() == "d");
  CHECK(JsonBody::parse(R"({"force": false})")->flag("force", true).value() == false);
  CHECK(JsonBody::parse("")->has("x") == false);
  CHECK(JsonBody::parse(" \n")->integer("x", 4).value() == 4);
}

TEST_CASE("reader: what is not one JSON object is refused without quoting it") {
  const std::string deep = "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}";
  const std::string deeper = "{\"a\":" + std::string(200000, '[');
  for (const std::string& text :
       {std::string("[]"), std::string("null"), std::string("\"x\""), std::string("{"), std::string("{\"a\":1"),
        std::string("{\"a\":1}}"), std::string("{} {}"), std::string("{\"password\": hunter2}"), std::string("{'a':1}"),
        std::string("{\"a\":\"\xff\"}"), std::string("{\"a\":1}x"), std::string("{\"a\":\"\\ud800\"}"),
        std::string("{\"a\":99999999999999999999}"), deep, deeper}) {
    CAPTURE(text.substr(0, 40));
    const auto body = JsonBody::parse(text);
    REQUIRE_FALSE(body.ok());
    CHECK(body.status().code() == Code::kInvalidArgument);
    CHECK(body.status().message().find("hunter2") == std::string::npos);
  }
}

TEST_CASE("reader: a key that is there twice is refused by name, at any depth") {
  for (const char* text :
       {R"({"a": "1", "b": {}, "a": "2"})", R"({"x": [{"a": 1, "a": 1}]})", R"({"\u0061": 1, "a": 1})"}) {
    CAPTURE(text);
    const auto body = JsonBody::parse(text);
    REQUIRE_FALSE(body.ok());
    CHECK(body.status().message() == "body of the request: \"a\" is there twice");
  }
  CHECK(JsonBody::parse(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]})").ok());
}

TEST_CASE("reader: it knows what nobody asked for") {
  const auto body = JsonBody::parse(R"({"b": 1, "a": "x", "c": []})");
  REQUIRE(body.ok());
  CHECK(body->text("a", "").ok());
  CHECK(body->unasked() == std::vector<std::string>{"b", "c"});
  CHECK(body->integer("b", 0).ok());
  CHECK(body->texts("c", 5).ok());
  CHECK(body->unasked().empty());
}

TEST_CASE("reader: wrong types name the field") {
  const auto body = JsonBody::parse(
      R"({"t": 1, "null": null, "nul": "a\u0000b", "f": 1.5, "b": true, "s": "3", "l": ["a", 1], "o": {}, "yes": "yes"})");
  REQUIRE(body.ok());
  const auto refused = [](const auto& result, const std::string& field) {
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == Code::kInvalidArgument);
    CHECK(result.status().message().find("\"" + field + "\"") != std::string::npos);
  };
  for (const char* key : {"t", "null", "nul", "l", "o"}) {
    CAPTURE(key);
    refused(body->text(key, ""), key);
  }
  for (const char* key : {"null", "f", "b", "s", "o"}) {
    CAPTURE(key);
    refused(body->integer(key, 0), key);
  }
  for (const char* key : {"t", "null", "yes", "o"}) {
    CAPTURE(key);
    refused(body->flag(key, false), key);
  }
  refused(body->texts("s", 5), "s");
  refused(body->texts("null", 5), "null");
  refused(body->texts("l", 5), "l[1]");
  refused(body->texts("l", 1), "l");
}

// SPDX-License-Identifier: Apache-2.0
#include "model/yaml_reader.h"

#include <doctest/doctest.h>

#include <string>

#include "model/json_tree.h"

using namespace vcc;

namespace {

std::string json(std::string_view yaml) {
  const auto tree = readYaml(yaml);
  return tree.ok() ? toJson(*tree) : "refused: " + tree.status().message();
}

bool refused(std::string_view yaml, std::string_view cause, const YamlLimits& limits = {}) {
  const auto tree = readYaml(yaml, limits);
  CAPTURE(tree.status().message());
  return !tree.ok() && tree.status().code() == Code::kInvalidArgument &&
         tree.status().message().find(cause) != std::string::npos;
}

}  // namespace

TEST_CASE("scalars stay the text that was written") {
  CHECK(json("[1234, yes, on, 1e3, 12:34:56, 001, 0x1F, 2024-01-01, 1_000, .inf, 'a', \"b\\n\", True]") ==
        R"(["1234","yes","on","1e3","12:34:56","001","0x1F","2024-01-01","1_000",".inf","a","b\n","True"])");
  CHECK(json("{a: null, b: ~, c: , d: 'null', e: None}") == R"({"a":null,"b":null,"c":null,"d":"null","e":"None"})");
  CHECK(json("a: |\n  line 1\n  line 2\nb: >-\n  x\n  y\n") == R"({"a":"line 1\nline 2\n","b":"x y"})");
  CHECK(json("{'k': ['\xe8\xac\x9b', {'x': 'y'}], 'e': []}") == "{\"k\":[\"\xe8\xac\x9b\",{\"x\":\"y\"}],\"e\":[]}");
  CHECK(readYaml("None")->plain);
  CHECK_FALSE(readYaml("'None'")->plain);
  CHECK(json("a: |+\n x\n\nb: |\n y") == R"({"a":"x\n\n","b":"y\n"})");
  CHECK(json("a: b\n...\n") == R"({"a":"b"})");
  CHECK(json("") == "null");
  CHECK(json("\xEF\xBB\xBF"
             "a: b\n") == R"({"a":"b"})");
}

TEST_CASE("aliases and anchors are refused before anything expands") {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [" + before;
    for (int i = 0; i < 8; ++i) bomb += "," + before;
    bomb += "]\n";
  }
  CHECK(refused(bomb, "line 1, column 4: anchors"));
  CHECK(refused("a: *b\n", "the referenced anchor is not defined"));
  CHECK(refused("- &x 1\n- *x\n", "anchors"));
  CHECK(refused("&k a: b\n", "anchors"));
  CHECK(refused("- &n\n- 1\n", "anchors"));
}

TEST_CASE("what YAML allows and nobody needs is refused") {
  CHECK(refused("a: 1\na: 2\n", "line 2, column 1: the key \"a\" is given twice"));
  CHECK(refused("{'a': 1, \"a\": 2}", "given twice"));
  CHECK(refused("a: !!python/object/apply:os.system ['id']\n", "tags"));
  CHECK(refused("!custom {a: b}\n", "tags"));
  CHECK(refused("a: !!int 1\n", "tags"));
  CHECK(refused("a: 1\n---\nb: 2\n", "second document"));
  CHECK(refused("? [a, b]\n: c\n", "a key is a list"));
  CHECK(refused("~: c\n", "a key is empty"));
  CHECK(refused("a: \"x\\0y\"\n", "NUL"));
}

TEST_CASE("malformed text") {
  CHECK(refused("a: [1, 2\n", "this is not YAML"));
  CHECK(refused("a: b: c\n", "this is not YAML"));
  CHECK(refused("a: \"x\n", "this is not YAML: illegal document indicator in scalar"));
  CHECK(refused(std::string_view("a: b\0c: d", 9), "control character 0x00"));
  CHECK(refused("a: b\x04\nc: d\n", "byte 4: the control character 0x04"));
  CHECK(refused("a: \xff\n", "not UTF-8"));
  CHECK(refused("a: \xed\xa0\x80\n", "not UTF-8"));
}

TEST_CASE("limits hold while the text is read") {
  CHECK(refused(std::string(1000, 'a'), "1000 bytes", YamlLimits{.bytes = 999}));
  CHECK(readYaml(std::string(1000, 'a'), YamlLimits{.bytes = 1000}).ok());
  CHECK(readYaml("[[[1]]]", YamlLimits{.depth = 3}).ok());
  CHECK(refused("[[[[1]]]]", "deeper than 3", YamlLimits{.depth = 3}));
  CHECK(refused(std::string(1000, '['), ""));
  CHECK(refused(std::string(1U << 20U, '['), "more than 160000 brackets"));
  CHECK(readYaml("a: x" + std::string(150000, ',')).ok());
  CHECK(refused("{a: {b: {c: {d: e}}}}", "deeper than 3", YamlLimits{.depth = 3}));
  CHECK(readYaml("[1,2,3,4]", YamlLimits{.values = 5}).ok());
  CHECK(refused("[1,2,3,4,5]", "more than 5 values", YamlLimits{.values = 5}));
  CHECK(refused("[aaaa]", "a text has 4 bytes", YamlLimits{.scalar_bytes = 3}));
}

TEST_CASE("no message repeats a value") {
  for (const char* text : {"a: [topsecret, topsecret\n", "a: topsecret: b\n", "a: \"topsecret\n", "[topsecret\x01]"}) {
    CHECK(json(text).find("refused") == 0);
    CHECK(json(text).find("topsecret") == std::string::npos);
  }
}

TEST_CASE("JSON round trip of a tree") {
  const auto tree = readYaml("{z: [1, null, {a: 'q\"\\'}], y: {}, x: \"\\x01\\u3042\\/\\t\"}").value();
  const auto back = treeFromJson(toJson(tree)).value();
  CHECK(toJson(back) == toJson(tree));
  CHECK(back.members.size() == 3);
  CHECK(back.members[0].first == "z");
  CHECK(toJson(treeFromJson("{\"a\": 12, \"b\": true, \"c\": null}").value()) == R"({"a":"12","b":"true","c":null})");
  CHECK(treeFromJson("{").status().code() == Code::kInvalidArgument);
  CHECK(treeFromJson("").status().code() == Code::kInvalidArgument);
  CHECK_FALSE(treeFromJson(std::string(100000, '[')).ok());
}

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "plugin_host/json_document.h"
#include "services_rig.h"
#include "vcp/plugin/ext/json.h"

using namespace vcc;

namespace {

constexpr char kDocument[] = R"({"servers":[{"id":"i-1","n":12,"on":true},{"id":"i-2"}],"zeta":null,"null":"null",
  "alpha":{"z":1,"a":[]},"a/b":"slash","m~n":"tilde","":"empty","text":"a\"\u3042\n","rate":0.25,"big":18446744073709551615,
  "negative":-9223372036854775808})";

struct JsonBench : test::ServicesRig {
  const vcp_json_t* json = table<vcp_json_t>(VCP_JSON_ID);

  std::string get(std::string_view document, std::string_view pointer, std::int32_t expected = VCP_OK) {
    vcp::plugin::detail::TextTaker taken;
    type = -1;
    CHECK(json->get(json, toAbi(document), toAbi(pointer), &type, taken.sink()) == expected);
    return taken.take();
  }
  std::string quote(std::string_view text, std::int32_t expected = VCP_OK) {
    vcp::plugin::detail::TextTaker taken;
    CHECK(json->quote(json, toAbi(text), taken.sink()) == expected);
    return taken.take();
  }
  /// Members as "key=text:type"; stops after `most`.
  std::vector<std::string> each(std::string_view document, std::string_view pointer, std::int32_t expected = VCP_OK,
                                std::size_t most = 100) {
    struct Seen {
      std::vector<std::string> members;
      std::size_t most;
    } seen{{}, most};
    vcp_json_visitor_t visitor{};
    visitor.struct_size = sizeof visitor;
    visitor.plugin_data = &seen;
    visitor.member = [](const vcp_json_visitor_t* v, vcp_string_t key, std::int32_t member_type,
                        vcp_string_t text) -> std::int32_t {
      auto& into = *static_cast<Seen*>(v->plugin_data);
      into.members.push_back(std::string(fromAbi(key)) + "=" + std::string(fromAbi(text)) + ":" +
                             std::to_string(member_type));
      return into.members.size() < into.most ? VCP_OK : VCP_ABORTED;
    };
    CHECK(json->each(json, toAbi(document), toAbi(pointer), &visitor) == expected);
    return seen.members;
  }

  std::int32_t type = -1;
};

}  // namespace

TEST_CASE("json: values of every kind by pointer") {
  JsonBench bench;
  CHECK(bench.get(kDocument, "/servers/0/id") == "i-1");
  CHECK(bench.type == VCP_JSON_STRING);
  CHECK(bench.get(kDocument, "/servers/0/n") == "12");
  CHECK(bench.type == VCP_JSON_NUMBER);
  CHECK(bench.get(kDocument, "/servers/0/on") == "true");
  CHECK(bench.type == VCP_JSON_BOOLEAN);
  CHECK(bench.get(kDocument, "/zeta") == "null");
  CHECK(bench.type == VCP_JSON_NULL);
  CHECK(bench.get(kDocument, "/null") == "null");
  CHECK(bench.type == VCP_JSON_STRING);
  CHECK(bench.get(kDocument, "/servers") == R"([{"id":"i-1","n":12,"on":true},{"id":"i-2"}])");
  CHECK(bench.type == VCP_JSON_ARRAY);
  CHECK(bench.get(kDocument, "/alpha") == R"({"z":1,"a":[]})");  // in its order
  CHECK(bench.type == VCP_JSON_OBJECT);
  CHECK(bench.get(kDocument, "/a~1b") == "slash");
  CHECK(bench.get(kDocument, "/m~0n") == "tilde");
  CHECK(bench.get(kDocument, "/") == "empty");
  CHECK(bench.get(kDocument, "/text") == "a\"\xe3\x81\x82\n");
  CHECK(bench.get(kDocument, "/rate") == "0.25");
  CHECK(bench.get("[1.0,0.1,-0.5e3]", "") == "[1.0,0.1,-500.0]");
  CHECK(bench.get(kDocument, "/big") == "18446744073709551615");
  CHECK(bench.get(kDocument, "/negative") == "-9223372036854775808");
  CHECK(bench.get(" \"x\" ", "") == "x");
  CHECK(bench.get("null", "") == "null");
  CHECK(bench.get("[ 1 , 2 ]", "") == "[1,2]");
  vcp::plugin::detail::TextTaker taken;
  CHECK(bench.json->get(bench.json, toAbi("1"), {}, nullptr, taken.sink()) == VCP_OK);
}

TEST_CASE("json: what leads nowhere, and what is no pointer") {
  JsonBench bench;
  for (const char* pointer :
       {"/x", "/servers/2", "/servers/-", "/servers/01", "/servers/+1", "/servers/", "/servers/0x",
        "/servers/99999999999999999999", "/zeta/0", "/rate/x", "/alpha/a/0", "//"}) {
    CAPTURE(pointer);
    CHECK(bench.get(kDocument, pointer, VCP_NOT_FOUND).empty());
    CHECK(bench.type == -1);
  }
  for (const char* pointer : {"servers", "/m~n", "/~", "/~2"}) {
    CAPTURE(pointer);
    bench.get(kDocument, pointer, VCP_INVALID_ARGUMENT);
  }
}

TEST_CASE("json: what is no JSON, too deep or too large") {
  JsonBench bench;
  for (const char* document : {"", " ", "{", "{}x", "1,2", "1],[2", "[1,]", "{\"a\":}", "'a'", "[01]", "NaN", "<html>",
                               "\"\xff\"", "[1e400]"}) {
    CAPTURE(document);
    bench.get(document, "", VCP_INVALID_ARGUMENT);
  }
  CHECK(bench.get(R"(["\"]]}}[[{{", "\\"])", "/1") == "\\");  // brackets in a text are no levels
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(bench.get(nested(64), "").size() == 128);
  bench.get(nested(65), "", VCP_INVALID_ARGUMENT);
  bench.get(nested(1'000'000), "", VCP_INVALID_ARGUMENT);
  const std::string most = "\"" + std::string(kMaxJsonBytes - 2, 'x') + "\"";
  CHECK(bench.get(most, "").size() == kMaxJsonBytes - 2);
  bench.get(most + " ", "", VCP_INVALID_ARGUMENT);
}

TEST_CASE("json: members of arrays and objects in order") {
  JsonBench bench;
  CHECK(bench.each(kDocument, "/servers/0") == std::vector<std::string>{"id=i-1:4", "n=12:3", "on=true:2"});
  CHECK(bench.each(kDocument, "/alpha") == std::vector<std::string>{"z=1:3", "a=[]:5"});
  CHECK(bench.each("[null,{\"a\":1}]", "") == std::vector<std::string>{"=null:1", "={\"a\":1}:6"});
  CHECK(bench.each("[1,2,3]", "", VCP_ABORTED, 2).size() == 2);
  CHECK(bench.each("[]", "").empty());
  CHECK(bench.each("{\"a\":1}", "/a", VCP_INVALID_ARGUMENT).empty());
  CHECK(bench.each("{\"a\":1}", "/b", VCP_NOT_FOUND).empty());
  CHECK(bench.each("{", "", VCP_INVALID_ARGUMENT).empty());
}

TEST_CASE("json: a quoted text comes back as it was") {
  JsonBench bench;
  CHECK(bench.quote("") == "\"\"");
  CHECK(bench.quote("a\"b\\c/\n") == R"("a\"b\\c/\n")");
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  all += std::string(1, '\0') + "\xe3\x81\x82\xf0\x9f\x98\x80\xe2\x80\xa8";
  CHECK(bench.get(bench.quote(all), "") == all);
  bench.quote("\xff", VCP_INVALID_ARGUMENT);
  bench.quote("\xed\xa0\x80", VCP_INVALID_ARGUMENT);
}

TEST_CASE("json: bad arguments are borne") {
  JsonBench bench;
  const vcp_json_t* json = bench.json;
  REQUIRE(json->struct_size == sizeof(vcp_json_t));
  const vcp_string_t null_text{nullptr, 1};
  const vcp_string_t huge{"x", kMaxJsonBytes + 1};
  vcp::plugin::detail::TextTaker taken;
  CHECK(json->get(json, null_text, {}, nullptr, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(json->get(json, toAbi("1"), null_text, nullptr, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(json->get(json, toAbi("1"), huge, nullptr, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(json->get(json, toAbi("1"), {}, nullptr, nullptr) == VCP_INVALID_ARGUMENT);
  CHECK(json->quote(json, huge, taken.sink()) == VCP_INVALID_ARGUMENT);
  CHECK(json->each(json, toAbi("[1]"), {}, nullptr) == VCP_INVALID_ARGUMENT);
  vcp_json_visitor_t visitor{};
  CHECK(json->each(json, toAbi("[1]"), {}, &visitor) == VCP_INVALID_ARGUMENT);
  visitor.struct_size = sizeof visitor;
  CHECK(json->each(json, toAbi("[1]"), {}, &visitor) == VCP_INVALID_ARGUMENT);
  visitor.member = [](const vcp_json_visitor_t*, vcp_string_t, std::int32_t, vcp_string_t) -> std::int32_t { throw 7; };
  CHECK(json->each(json, toAbi("[1,2]"), {}, &visitor) == VCP_INTERNAL);
  const vcp_text_sink_t throwing = test::throwingSink();
  CHECK(json->quote(json, toAbi("x"), &throwing) == VCP_INTERNAL);
  const vcp_text_sink_t full = test::fullSink();
  CHECK(json->get(json, toAbi("1"), {}, nullptr, &full) == VCP_OUT_OF_RANGE);
  CHECK(bench.log.count("PLUGIN_MISBEHAVED") == 2);
}

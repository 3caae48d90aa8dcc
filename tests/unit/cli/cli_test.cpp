// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "cli/admin_client.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/table.h"

using namespace vcc;
using namespace vcc::cli;

namespace {
const std::vector<OptionSpec> kSpecs{{"--role", "ROLE", ""}, {"--json", "", ""}, {"--token", "TOKEN", "", "-t"}};
}

TEST_CASE("options before and after operands, with a space or an equals sign") {
  const auto arguments = parseArguments({"anna", "--role", "super", "--json", "-t", "s.x", "--", "--odd"}, kSpecs);
  REQUIRE(arguments.ok());
  CHECK(arguments->positional == std::vector<std::string>{"anna", "--odd"});
  CHECK(arguments->get("--role") == "super");
  CHECK(arguments->get("--token") == "s.x");
  CHECK(arguments->has("--json"));
  CHECK(parseArguments({"--role=a=b"}, kSpecs)->get("--role") == "a=b");
  CHECK(parseArguments({"-t", "-"}, kSpecs)->get("--token") == "-");
  CHECK(parseArguments({"-"}, kSpecs)->positional == std::vector<std::string>{"-"});
}

TEST_CASE("wrong options are named") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--rule", "x"}, {"--role"}, {"--json=yes"}, {"-x"}}) {
    const auto arguments = parseArguments(words, kSpecs);
    REQUIRE_FALSE(arguments.ok());
    CHECK(arguments.status().code() == Code::kInvalidArgument);
    CHECK(arguments.status().message().find(words[0].substr(0, 4)) != std::string::npos);
  }
}

TEST_CASE("tables align and cannot command the terminal") {
  CHECK(formatTable({{"A", "BB"}, {"long", "x\x1b[2J"}}) == "A     BB\nlong  x?[2J\n");
}

TEST_CASE("a table that comes in parts keeps its columns") {
  std::vector<std::size_t> widths;
  CHECK(formatTable({{"A", "B", "C"}, {"long", "x", "y"}}, widths) == "A     B  C\nlong  x  y\n");
  CHECK(formatTable({{"b", "wider", "z"}}, widths) == "b     wider  z\n");
  CHECK(formatTable({{"b", "w", "z"}}, widths) == "b     w      z\n");
  CHECK(formatTable({}, widths).empty());
}

TEST_CASE("parts of a URL carry nothing that the URL would read otherwise") {
  CHECK(urlPart("a b/c?d&e=f#g+h%") == "a%20b%2Fc%3Fd%26e%3Df%23g%2Bh%25");
  CHECK(urlPart("ZTEuMQ-_") == "ZTEuMQ-_");
}

TEST_CASE("JSON both ways") {
  const Json json = Json::parse(R"({"a": "x", "n": 3, "b": true, "l": ["p", 1, "q"], "o": {"k": "v"}, "z": null})");
  CHECK(json.text("a") == "x");
  CHECK(json.text("n").empty());
  CHECK(json.text("z").empty());
  CHECK(json.number("n") == 3);
  CHECK(json.number("a") == 0);
  CHECK(json.flag("b"));
  CHECK_FALSE(json.flag("missing"));
  CHECK(json.texts("l") == std::vector<std::string>{"p", "q"});
  CHECK(json.at("o").text("k") == "v");
  CHECK(json.items("a").empty());
  CHECK(json.at("o").line() == R"({"k":"v"})");
  CHECK(jsonObject({{"q", std::string("a\"b\n")}, {"n", std::int64_t{5}}}) == R"({"n":5,"q":"a\"b\n"})");
}

TEST_CASE("no controller: the remedy is in the text") {
  const auto answer = askController("/nonexistent/admin.sock", "GET", "/status", "");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.status().code() == Code::kUnavailable);
  CHECK(answer.status().message().find("start the controller") != std::string::npos);
}

TEST_CASE("every command has its words, help and action") {
  for (const Command& command : commands()) {
    CHECK_FALSE(command.words.empty());
    CHECK_FALSE(command.help.empty());
    CHECK((command.run != nullptr));
  }
}

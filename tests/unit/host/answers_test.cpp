// SPDX-License-Identifier: Apache-2.0
// What hosts and engines say is hostile or at least surprising input.
#include <doctest/doctest.h>

#include "host/container_list.h"
#include "host/engine_words.h"
#include "host/script_answer.h"

using namespace vcc;

TEST_CASE("a script's answer is found among the noise of start-up files") {
  ScriptAnswer answer("Welcome!\nvcp engine docker\nvcp container [1]\nvcp container [2]\nvcp end\n");
  CHECK(answer.complete());
  CHECK(answer.value("engine") == "docker");
  CHECK(answer.values("container") == std::vector<std::string>{"[1]", "[2]"});
  CHECK(!answer.value("eng"));
  CHECK(answer.output().empty());
}

TEST_CASE("an answer that was cut off is not complete") {
  for (const char* printed : {"", "vcp", "vcp engine docker\n", "vcp end", "x vcp end\n", "vcp end\nvcp engine x\n"}) {
    CAPTURE(printed);
    CHECK(ScriptAnswer(printed).complete() == (std::string(printed) == "vcp end"));
  }
}

TEST_CASE("the output of a job is what lies in the frame") {
  ScriptAnswer answer("hello\nvcp job ended 1\nvcp output\nfirst\n\nlast\n\nvcp end\n");
  CHECK(answer.output() == "first\n\nlast");
  CHECK(answer.value("job") == "ended 1");
}

TEST_CASE("containers as docker and as podman describe them") {
  auto docker = parseContainer(
      R"(["0123","/vcp-1","running",true,"2026-11-23T02:05:06.789012345Z",{"vcp.vcc":"c","vcp.vcid":"v","vcp.unit":"u",)"
      R"("vcp.node_id":"n","vcp.address":"10.0.0.1","vcp.spec":"h","other":"x\ny"}])");
  REQUIRE_MESSAGE(docker.ok(), docker.status().toString());
  CHECK(docker->id == "0123");
  CHECK(docker->name == "vcp-1");
  CHECK(docker->running);
  CHECK(docker->started_at == 1795399506789);
  CHECK(docker->vcc == "c");
  CHECK(docker->vcid == "v");
  CHECK(docker->unit == "u");
  CHECK(docker->node_id == "n");
  CHECK(docker->address == "10.0.0.1");
  CHECK(docker->spec_hash == "h");

  auto podman = parseContainer(R"(["0123","vcp-1","created",false,"0001-01-01T00:00:00Z",null])");
  REQUIRE(podman.ok());
  CHECK(podman->name == "vcp-1");
  CHECK(!podman->running);
  CHECK(podman->started_at == 0);
  CHECK(podman->address.empty());
}

TEST_CASE("descriptions that are none are refused") {
  for (const char* json :
       {"", "[", "{}", "[]", "[1,2]", "[\"\",\"n\",\"s\",true,\"\",{}]", "[[[[[[[[[[1]]]]]]]]]]",
        "[\"a\",\"n\",\"s\",true,\"\",{},1]", "[\"a\",\"n\",\"s\",true,\"\",\"labels\"]", "[{},{},{},{},{},{}]"}) {
    CAPTURE(json);
    auto found = parseContainer(json);
    REQUIRE(!found.ok());
    CHECK(found.status().code() == Code::kInternal);
  }
}

TEST_CASE("times of engines") {
  CHECK(parseEngineTime("1970-01-01T00:00:01Z") == 1000);
  CHECK(parseEngineTime("1970-01-01T09:00:01.5+09:00") == 1500);
  CHECK(parseEngineTime("1970-01-01T00:00:01.5-00:30") == 1801500);
  CHECK(parseEngineTime("1970-01-01T00:00:01.1234567891Z") == 1123);
  for (const char* text : {"", "now", "0001-01-01T00:00:00Z", "2026-1-23T02:05:06.78Z", "2026-11-23 02:05:06 +0000 UTC",
                           "2026-11-23T02:05:06+", "2026-11-23T02:05:06+9"}) {
    CAPTURE(text);
    CHECK(parseEngineTime(text) == 0);
  }
}

TEST_CASE("an engine that quotes the environment back does not leak it") {
  std::vector<std::string> environment{"PASSWORD=pa\"ss\nword two", "MODE=on", "LONG=secret-value-tail", "PART=secret"};
  std::string words = engineWords(
      "  docker: bad \"PASSWORD=pa\\\"ss\\nword two\", again pa\"ss\nword two, secret-value-tail, 'word two' "
      "on\xff\n\n",
      environment);
  CHECK(words.find("word two") == std::string::npos);
  CHECK(words.find("secret") == std::string::npos);
  CHECK(words.find("tail") == std::string::npos);
  CHECK(words.starts_with("docker: bad \"PASSWORD=***\""));
  CHECK(words.ends_with("on\xef\xbf\xbd"));
  CHECK(engineWords(std::string(100000, 'x'), {}).size() == 2048);
}

TEST_CASE("refusals of docker and of podman have one code") {
  auto code = [](const char* words) { return engineRefusal(words, Code::kInvalidArgument).code(); };
  CHECK(code("Error response from daemon: Conflict. The container name \"/a\" is already in use by container") ==
        Code::kAlreadyExists);
  CHECK(code("Error: creating container storage: the container name \"a\" is already in use by 0123") ==
        Code::kAlreadyExists);
  CHECK(code("listen tcp :80: bind: address already in use") == Code::kInvalidArgument);
  CHECK(code("Error response from daemon: No such container: a") == Code::kNotFound);
  CHECK(code("Error: no container with name or ID \"a\" found: no such container") == Code::kNotFound);
  CHECK(code("Error response from daemon: No such image: a:1") == Code::kNotFound);
  CHECK(code("Error: a:1: image not known") == Code::kNotFound);
  CHECK(code("Cannot connect to the Docker daemon at unix:///var/run/docker.sock") == Code::kUnavailable);
  CHECK(code("invalid option type \"zz\"") == Code::kInvalidArgument);
  CHECK(!engineRefusal("", Code::kInternal).message().empty());
}

// SPDX-License-Identifier: Apache-2.0
// The test of the tests: each defect of a reference driver is found, by the checks that are about it and by no other.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "vcp/plugin/cpp/json.h"

namespace {

using vcp::plugin::Json;
using Names = std::set<std::string>;

struct Run {
  int code = -1;
  std::string output;
};

Run run(const std::string& arguments) {
  const std::string command = std::string("'") + VCP_CHECK + "' " + arguments + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Run out;
  char buffer[4096];
  for (std::size_t size; (size = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.output.append(buffer, size);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) out.code = WEXITSTATUS(status);
  return out;
}

std::string conformance(const std::string& driver, const std::string& cloud, const std::string& case_file) {
  return "conformance '" + driver + "' --cloud '" + cloud + "' --case '" + case_file + "' --json";
}

std::string harbor() { return conformance(HARBOR_DRIVER, HARBOR_CLOUD, VCP_CASES "/harbor.json"); }

Json checksOf(const Run& run) {
  const Json report = Json::parse(run.output, nullptr, false);
  REQUIRE_MESSAGE(report.is_object(), run.output);
  return report.at("checks");
}

Names failedIn(const Run& run) {
  Names names;
  const Json checks = checksOf(run);
  for (const Json& check : checks) {
    if (check.at("verdict") == "fail") names.insert(check.at("name").get<std::string>());
  }
  return names;
}

std::string joined(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += name + " ";
  return text;
}

struct Mutant {
  const char* name;
  Names found_by;
};

void expectFound(const std::string& command, const std::vector<Mutant>& mutants) {
  for (const Mutant& mutant : mutants) {
    CAPTURE(mutant.name);
    const Run result = run(command + " --option mutant=" + mutant.name);
    CHECK(result.code == 1);
    CHECK(joined(failedIn(result)) == joined(mutant.found_by));
  }
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__)
TEST_CASE("mutants: lost memory is found in a build with AddressSanitizer") {
  expectFound(harbor(), {{"loses_memory", {"rules.memory"}}});
}
#else
// A sanitizer finds in the checks and drivers what it finds without mutants, and takes ten times as long with each.
TEST_CASE("mutants: a driver of two requests, without tokens") {
  expectFound(harbor(), {
                            {"never_by_name",
                             {"create.twice", "create.lost_commit", "create.lost_answer", "create.torn_answer",
                              "create.slow_answer", "observe.by_name", "observe.failed_read"}},
                            {"retries_inside", {"create.lost_answer", "create.torn_answer", "rules.honest"}},
                            {"observe_by_id", {"observe.by_name", "observe.failed_read"}},
                            {"remembers", {"create.crash_between_steps", "create.lost_commit"}},
                            {"two_changes", {"step.one_change", "rules.honest"}},
                            {"hides_disk", {"create.reports_parts"}},
                            {"sleeps", {"create.waits"}},
                            {"long_pause", {"create.waits"}},
                            {"leaks_disk",
                             {"destroy.leaves_nothing", "destroy.half_made", "destroy.after_lost_answer",
                              "destroy.lost_answer", "destroy.crash_between_steps"}},
                            {"done_on_500", {"destroy.lost_answer", "errors.destroy"}},
                            {"absent_on_error", {"observe.failed_read", "call.cancelled", "call.past_deadline"}},
                            {"lists_foreign", {"list.own_only"}},
                            {"complete_too_early", {"list.complete"}},
                            {"power_absent_done", {"power.absent"}},
                            {"keeps_credentials", {"grants.interleaved", "grants.parallel"}},
                            {"ignores_cancel", {"call.cancelled"}},
                            {"unclear_401", {"probe.bad_credentials", "errors.create", "errors.destroy"}},
                            {"drops_retry_after", {"errors.create", "errors.destroy"}},
                            {"denies", {"errors.create", "rules.honest"}},
                            {"no_answer", {"state.garbage", "rules.answers"}},
                            {"answers_twice", {"state.garbage", "rules.answers"}},
                            {"bad_utf8", {"rules.texts"}},
                            {"long_state", {"rules.texts"}},
                            {"logs_secret", {"rules.secrets"}},
                            {"prints", {"rules.quiet"}},
                            {"no_pointer", {"validate.bad_specs"}},
                            {"changing_schema", {"describe.constant"}},
                            {"trusts_state", {"state.garbage"}},
                            {"crashes", {"power.idempotent"}},
                            {"wipes_data_disk", {"destroy.data_disk"}},
                            {"disk_by_id", {"disk.twice", "disk.lost_answer"}},
                            {"attaches_blindly", {"disk.attach_twice", "disk.attach_lost_answer"}},
                            {"disk_is_part", {"disk.attach_twice"}},
                            {"takes_from_machine", {"disk.in_use"}},
                        });
}

TEST_CASE("mutants: a driver of batches with a token") {
  expectFound(conformance(FLEET_DRIVER, FLEET_CLOUD, VCP_CASES "/fleet.json"),
              {
                  {"by_name_only", {"observe.by_name", "destroy.half_made", "destroy.after_lost_answer"}},
                  {"one_for_all", {"create.bad_item"}},
                  {"own_token", {"create.crash_between_steps", "create.lost_commit"}},
              });
}
#endif

TEST_CASE("isolation: a driver that hangs or dies fails its check only, and the report says how") {
  Json short_case = Json::parse(std::ifstream(VCP_CASES "/harbor.json"));
  short_case["timings"]["check_ms"] = 300;
  const std::string file = "short_case.json";
  std::ofstream(file) << short_case.dump();
  const Run hung = run(conformance(HARBOR_DRIVER, HARBOR_CLOUD, file) + " --only probe --option mutant=hangs");
  std::remove(file.c_str());
  CHECK(joined(failedIn(hung)) == "probe.bad_credentials probe.good ");
  CHECK(checksOf(hung).at(0).at("seen").get<std::string>().rfind("it had not ended after 300 ms", 0) == 0);

  const Run died = run(harbor() + " --only power --option mutant=crashes");
  CHECK(died.output.find("the process died: Aborted") != std::string::npos);
}

TEST_CASE("report: what was expected, what was seen, the sentence and the remedy") {
  const Run found = run(harbor() + " --only list.own_only --option mutant=lists_foreign");
  const Json check = checksOf(found).at(0);
  CHECK(check.at("expected") == "the machine of another controller (vcc_id) is not listed");
  CHECK(check.at("seen") == "it is");
  CHECK(check.at("source") == "driver.h, list");
  CHECK_FALSE(check.at("contract").get<std::string>().empty());
  CHECK_FALSE(check.at("remedy").get<std::string>().empty());

  std::string plain = harbor();
  plain.resize(plain.size() - std::string(" --json").size());
  const Run text = run(plain + " --only list.own_only --option mutant=lists_foreign");
  CHECK(text.output.find("FAIL  list.own_only") != std::string::npos);
  CHECK(text.output.find("0 passed, 1 failed, 0 warned, 0 skipped") != std::string::npos);
}

TEST_CASE("usage: exit code 2 and the reason") {
  const auto refused = [](const std::string& arguments, const std::string& why) {
    const Run result = run(arguments);
    CAPTURE(arguments);
    CHECK(result.code == 2);
    CHECK_MESSAGE(result.output.find(why) != std::string::npos, result.output);
  };
  refused("", "give a command and a file");
  refused("list x", "unknown command list");
  refused("abi no-such-file", "no such file");
  refused("abi '" HARBOR_DRIVER "' --live", "belong to conformance");
  refused("conformance '" HARBOR_DRIVER "'", "conformance needs --case");
  refused(harbor() + " --seed x", "--seed needs a whole number");
  refused(harbor() + " --only nothing", "there is no such check");
  refused(harbor() + " --live", "exclude each other");
  refused(harbor() + " --unknown", "unknown option --unknown");
  const std::string file = "bad_case.json";
  std::ofstream(file) << R"({"provider": "x", "credential": {}})";
  refused(conformance(HARBOR_DRIVER, HARBOR_CLOUD, file), "member 'credential' is unknown");
  std::ofstream(file) << "[";
  refused(conformance(HARBOR_DRIVER, HARBOR_CLOUD, file), "is not a JSON object");
  std::remove(file.c_str());
  CHECK(run("--help").code == 0);
}

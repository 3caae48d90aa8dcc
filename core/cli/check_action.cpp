// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>

#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/followed_controller.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

/// A controller that refuses could not be asked.
Result<Json> ask(const std::string& socket_path, const std::string& method, const std::string& path,
                 const std::string& body) {
  Result<Json> answer = askController(socket_path, method, path, body);
  if (answer.ok() || answer.status().code() == Code::kNotFound) return answer;
  return unavailable(answer.status().message());
}

void print(const std::vector<Json>& lines) {
  std::vector<std::vector<std::string>> rows{
      {"UNITGROUP", "NODE", "RECORD", "CLOUD", "CONTAINER", "MONITOR", "ADDRESS", "MACHINE", "ID", "DIFFERENCE"}};
  for (const Json& line : lines) {
    const bool is_node = !line.text("vcid").empty();
    rows.push_back({is_node ? line.text("vc") : line.text("instance"),
                    is_node ? line.text("unit") + "/" + std::to_string(line.number("node_no")) : "-",
                    line.text("record"), line.text("cloud"), line.text("container"), line.text("monitor"),
                    orDash(line.text("address")), orDash(line.text("name")), orDash(line.text("cloud_id")),
                    orDash(line.text("difference"))});
  }
  std::cout << formatTable(rows);
}

}  // namespace

Status checkEverything(const std::string& socket_path, const Arguments& arguments) {
  const std::string vcid = arguments.positional.empty() ? "" : arguments.positional.front();
  VCC_ASSIGN_OR_RETURN(const Json started, ask(socket_path, "POST", "/checks", jsonObject({{"vcid", vcid}})));
  const std::string path = "/checks/" + urlPart(started.text("check"));
  VCC_ASSIGN_OR_RETURN(Json report, ask(socket_path, "GET", path, ""));
  while (!report.flag("done")) {
    FollowedController::pause();
    VCC_ASSIGN_OR_RETURN(report, ask(socket_path, "GET", path, ""));
  }
  const std::vector<Json> lines = report.items("lines");
  if (arguments.has("--json")) {
    std::cout << report.pretty() << '\n';
  } else {
    print(lines);
  }
  const auto different =
      std::count_if(lines.begin(), lines.end(), [](const Json& line) { return !line.text("difference").empty(); });
  if (different == 0) return okStatus();
  return failedPrecondition(std::to_string(different) + " of " + std::to_string(lines.size()) + " lines differ");
}

}  // namespace vcc::cli

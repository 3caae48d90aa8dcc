// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/followed_controller.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

std::string questionOf(const Arguments& arguments, const std::string& host_key, const std::string& job) {
  return jsonObject({{"host", arguments.positional.front()},
                     {"user", arguments.get("--user", "ubuntu")},
                     {"network", arguments.get("--network", "default")},
                     {"host_key", host_key},
                     {"job", job}});
}

/// A line for each finding, below it what mends it.
void printFindings(const Json& report) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& finding : report.items("findings")) {
    rows.push_back({finding.text("level"), finding.text("name"), finding.text("text")});
  }
  std::cout << formatTable(rows);
  bool titled = false;
  for (const Json& finding : report.items("findings")) {
    const std::vector<std::string> commands = finding.texts("commands");
    if (commands.empty()) continue;
    if (!titled) std::cout << "\nTo mend it, on the server:\n";
    titled = true;
    std::cout << "  # " << printable(finding.text("name")) << '\n';
    for (const std::string& command : commands) std::cout << "  " << printable(command) << '\n';
  }
}

}  // namespace

Status checkServer(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(const Json report,
                       askController(socket_path, "POST", "/onprem/check", questionOf(arguments, "", "")));
  if (arguments.has("--json")) {
    std::cout << report.pretty() << '\n';
  } else {
    printFindings(report);
  }
  if (report.flag("ready")) return okStatus();
  return failedPrecondition("server " + arguments.positional.front() + " is not ready for a base container");
}

Status prepareServer(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(Json job, askController(socket_path, "POST", "/onprem/prepare", questionOf(arguments, "", "")));
  std::string shown;
  while (job.text("state") == "running") {
    if (job.text("step") != shown) std::cout << printable(job.text("step")) << " ..." << std::endl;
    shown = job.text("step");
    FollowedController::pause();
    VCC_ASSIGN_OR_RETURN(job, askController(socket_path, "POST", "/onprem/prepare",
                                            questionOf(arguments, job.text("host_key"), job.text("job"))));
  }
  if (job.text("state") != "done") {
    const std::string cause = job.text("state") == "unknown" ? "the job there was killed; prepare it again"
                                                             : job.text("detail") + "; " + job.text("remedy");
    return failedPrecondition("preparing " + arguments.positional.front() + ": " + job.text("step") +
                              " failed: " + cause);
  }
  return checkServer(socket_path, arguments);
}

}  // namespace vcc::cli

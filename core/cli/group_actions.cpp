// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/condition_table.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

std::string partsOf(const Json& object) {
  std::string text;
  for (const Json& part : object.items("resources")) {
    text += (text.empty() ? "" : ", ") + part.text("kind") + " " + part.text("name") + " (" + part.text("id") + ")";
  }
  return orDash(text);
}

void printObjects(const std::vector<Json>& objects) {
  std::vector<std::vector<std::string>> rows{
      {"NODE", "KIND", "PROVIDER", "NETWORK", "NAME", "ID", "ADDRESS", "LAST SEEN", "CONTAINER", "PARTS"}};
  for (const Json& object : objects) {
    rows.push_back({object.text("unit") + "/" + std::to_string(object.number("node_no")), object.text("kind"),
                    object.text("provider"), object.text("network"), object.text("name"),
                    orDash(object.text("cloud_id")), orDash(object.text("address")),
                    object.flag("certain") ? object.text("observed") : "MAY APPEAR", orDash(object.text("container")),
                    partsOf(object)});
  }
  if (!objects.empty()) std::cout << '\n' << formatTable(rows);
}

}  // namespace

Status listGroups(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(const Json answer, askController(socket_path, "GET", "/vcs", ""));
  if (arguments.has("--json")) {
    std::cout << answer.pretty() << '\n';
    return okStatus();
  }
  std::vector<std::vector<std::string>> rows{{"VCID", "NAME", "OWNER", "TYPE", "STATE", "UNITS", "NODES", "MADE"}};
  for (const Json& vc : answer.items("vcs")) {
    rows.push_back({vc.text("vcid"), vc.text("name"), vc.text("owner"), vc.text("type"), vc.text("state"),
                    std::to_string(vc.number("units")), std::to_string(vc.number("nodes")), vc.text("cdate")});
  }
  std::cout << formatTable(rows) << conditionTable(answer);
  return okStatus();
}

Status purgeGroup(const std::string& socket_path, const Arguments& arguments) {
  const bool keep_cloud = arguments.has("--keep-cloud");
  const bool dry_run = arguments.has("--dry-run");
  const auto word = [](bool flag) { return std::string(flag ? "true" : "false"); };
  VCC_ASSIGN_OR_RETURN(const Json answer,
                       askController(socket_path, "POST", "/vcs/" + urlPart(arguments.positional.front()) + "/purge",
                                     jsonObject({{"keep_cloud", word(keep_cloud)}, {"dry_run", word(dry_run)}})));
  if (arguments.has("--json")) {
    std::cout << answer.pretty() << '\n';
    return okStatus();
  }
  const std::vector<Json> objects = answer.items("objects");
  std::cout << "UnitGroup " << printable(answer.text("name")) << " of " << printable(answer.text("owner")) << ": "
            << answer.number("units") << " unit(s), " << answer.number("nodes") << " node(s) or disk(s)";
  if (keep_cloud) {
    std::cout << (dry_run ? ". Their records would go at once; " : ". Their records are gone; ");
  } else {
    std::cout << (dry_run ? ". They would be deleted" : " are being deleted; `vcc watch` shows how far") << ", with ";
  }
  std::cout << objects.size() << " machine(s) or disk(s)";
  if (keep_cloud) std::cout << (dry_run ? " would be left" : " are left") << " in the cloud for you to remove";
  std::cout << ".\n";
  printObjects(objects);
  return okStatus();
}

}  // namespace vcc::cli

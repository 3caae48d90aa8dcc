// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/condition_table.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

void printDrivers(const std::vector<Json>& drivers) {
  std::vector<std::vector<std::string>> rows{{"DRIVER", "PROVIDERS", "STATE", "VERSION", "REASON"}};
  for (const Json& driver : drivers) {
    rows.push_back({driver.text("instance"), joined(driver.texts("providers")), driver.text("state"),
                    driver.text("version"), driver.text("reason")});
  }
  std::cout << '\n' << formatTable(rows);
}

}  // namespace

Status showStatus(const std::string& socket_path, const Arguments& arguments) {
  VCC_ASSIGN_OR_RETURN(const Json status, askController(socket_path, "GET", "/status", ""));
  if (arguments.has("--json")) {
    std::cout << status.pretty() << '\n';
    return okStatus();
  }
  if (status.flag("simulated_hosts")) {
    std::cout << "*** SIMULATED HOSTS: machines count as prepared without ssh. For tests of drivers only. ***\n";
  }
  const Json store = status.at("store");
  const Json engine = status.at("engine");
  const auto number = [&engine](const char* key) { return std::to_string(engine.number(key)); };
  std::cout << formatTable({
      {"version", status.text("version")},
      {"vcc_id", status.text("vcc_id")},
      {"process",
       "pid " + std::to_string(status.number("pid")) + ", up " + std::to_string(status.number("uptime_s")) + " s"},
      {"data folder", status.text("data_dir") + (status.flag("evaluation") ? " (evaluation)" : " (production)")},
      {"store", store.flag("healthy") ? "healthy" : "NOT WRITABLE: " + store.text("reason")},
      {"engine", number("nodes") + " nodes, " + number("unsettled") + " on their way, " + number("open_ops") +
                     " open ops, " + number("jobs") + " jobs, queue " + number("queue")},
      {"catalog", joined(status.texts("catalog_providers")) + "; " + number("on_older_entry") +
                      " machines stand on an older entry"},
      {"listeners", joined(status.texts("listeners"))},
  });
  printDrivers(status.items("drivers"));
  std::cout << conditionTable(status);
  return okStatus();
}

}  // namespace vcc::cli

// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "base/clock.h"
#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/followed_controller.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

constexpr std::size_t kPageSize = 1000;

/// Prints pages of events in one way.
class EventPrinter {
 public:
  explicit EventPrinter(bool as_json) : as_json_(as_json) {}

  void print(const Json& page) {
    if (page.flag("lost")) {
      std::cerr << "vcc: events are missing here: they were dropped before they were read (events_keep)\n";
    }
    std::vector<std::vector<std::string>> rows;
    if (!as_json_ && !begun_) rows.push_back({"TIME", "UNITGROUP", "OBJECT", "CHANGE", "OP", "REASON"});
    begun_ = true;
    for (const Json& event : page.items("events")) {
      if (as_json_) std::cout << event.line() << '\n';
      rows.push_back({formatUtc(event.number("at_ms")), event.text("vcid"), event.text("object"),
                      orDash(event.text("from")) + " -> " + event.text("to"), orDash(event.text("op")),
                      event.text("reason")});
    }
    if (!as_json_) std::cout << formatTable(rows, widths_);
    std::cout.flush();
  }

 private:
  const bool as_json_;
  bool begun_ = false;
  std::vector<std::size_t> widths_;
};

std::string pathOf(const std::string& cursor, const std::string& limit, const std::string& vcid) {
  return "/events?after=" + urlPart(cursor) + "&limit=" + urlPart(limit) + "&vcid=" + urlPart(vcid);
}

}  // namespace

Status showEvents(const std::string& socket_path, const Arguments& arguments) {
  const std::string vcid = arguments.get("--vcid");
  EventPrinter printer(arguments.has("--json"));
  FollowedController controller(socket_path);
  VCC_ASSIGN_OR_RETURN(Json page, controller.ask(pathOf(arguments.get("--after"), arguments.get("--limit"), vcid)));
  printer.print(page);
  while (arguments.has("--follow") && std::cout) {
    if (page.items("events").size() < kPageSize) FollowedController::pause();
    VCC_ASSIGN_OR_RETURN(page, controller.ask(pathOf(page.text("cursor"), std::to_string(kPageSize), vcid)));
    if (page.flag("lost") || !page.items("events").empty()) printer.print(page);
  }
  return okStatus();
}

}  // namespace vcc::cli

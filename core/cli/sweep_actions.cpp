// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "base/clock.h"
#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/followed_controller.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

constexpr int kMostPauses = 120;

std::string timeOrDash(std::int64_t ms) { return ms == 0 ? "-" : formatUtc(ms); }
bool isSwept(const Json& sweep, std::int64_t asked_ms) {
  for (const Json& place : sweep.items("places")) {
    if (place.flag("driver") && place.number("tried_ms") < asked_ms) return false;
  }
  return true;
}

std::string standingOf(const Json& object) {
  if (!object.text("deleted_by").empty()) return "being deleted";
  return object.text("left").empty() ? "UNKNOWN" : "left on purpose";
}

std::string strayNote(const Json& object) {
  std::string note = object.text("left");
  if (!object.text("deleted_by").empty()) note += (note.empty() ? "" : "; ") + ("by " + object.text("deleted_by"));
  if (!object.text("fault").empty()) note += (note.empty() ? "" : "; ") + object.text("fault");
  return orDash(note);
}

void print(const Json& sweep) {
  std::vector<std::vector<std::string>> places{{"DRIVER", "NETWORK", "LAST LIST", "LAST COMPLETE LIST", "PROBLEM"}};
  for (const Json& place : sweep.items("places")) {
    places.push_back({place.text("instance"), place.text("network"), timeOrDash(place.number("tried_ms")),
                      timeOrDash(place.number("swept_ms")),
                      place.flag("driver") ? orDash(place.text("fault")) : "its driver is not loaded"});
  }
  std::cout << formatTable(places) << '\n';
  const std::vector<Json> objects = sweep.items("objects");
  if (objects.empty()) {
    std::cout << "The clouds hold nothing of ours that no record knows.\n";
    return;
  }
  std::vector<std::vector<std::string>> rows{
      {"ID", "DRIVER", "NAME", "CLOUD ID", "ADDRESS", "LAST SEEN", "STANDING", "SINCE", "LISTS", "NOTE"}};
  for (const Json& object : objects) {
    rows.push_back({object.text("id"), object.text("instance"), orDash(object.text("name")),
                    orDash(object.text("cloud_id")), orDash(object.text("address")), object.text("observed"),
                    standingOf(object), timeOrDash(object.number("first_seen_ms")),
                    std::to_string(object.number("sweeps")), strayNote(object)});
  }
  std::cout << formatTable(rows);
}

}  // namespace

Status showSweep(const std::string& socket_path, const Arguments& arguments) {
  if (arguments.has("--delete") != arguments.has("--name")) {
    return invalidArgument("--delete ID and --name NAME go together: the name confirms that it is the right one");
  }
  if (arguments.has("--delete")) {
    return askController(socket_path, "POST", "/sweep/" + urlPart(arguments.get("--delete")) + "/delete",
                         jsonObject({{"name", arguments.get("--name")}}))
        .status();
  }
  std::int64_t asked_ms = 0;
  if (arguments.has("--now")) {
    VCC_ASSIGN_OR_RETURN(const Json asked, askController(socket_path, "POST", "/sweep", ""));
    asked_ms = asked.number("asked_ms");
  }
  VCC_ASSIGN_OR_RETURN(Json sweep, askController(socket_path, "GET", "/sweep", ""));
  for (int i = 0; i < kMostPauses && !isSwept(sweep, asked_ms); ++i) {
    FollowedController::pause();
    VCC_ASSIGN_OR_RETURN(sweep, askController(socket_path, "GET", "/sweep", ""));
  }
  if (arguments.has("--json")) {
    std::cout << sweep.pretty() << '\n';
  } else {
    print(sweep);
  }
  if (isSwept(sweep, asked_ms)) return okStatus();
  return unavailable("some lists have not ended yet; `vcc sweep` shows later what they found");
}

}  // namespace vcc::cli

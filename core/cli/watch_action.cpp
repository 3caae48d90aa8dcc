// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "base/clock.h"
#include "cli/actions.h"
#include "cli/admin_client.h"
#include "cli/followed_controller.h"
#include "cli/watch_view.h"

namespace vcc::cli {
namespace {

/// Shows one answer after the other, as the place they go to allows.
class WatchView {
 public:
  void show(const Json& progress) {
    if (live_) {
      const TerminalSize size = terminalSize();
      std::cout << redraw_.frame(frameOf(progress, size), size);
    } else {
      auto lines = linesOf(progress);
      print(changesOf(before_, lines), progress.number("now_ms"));
      before_ = std::move(lines);
    }
    std::cout.flush();
  }

  void end(const std::string& last) { std::cout << last << '\n' << std::flush; }

 private:
  static void print(const std::vector<std::string>& lines, std::int64_t now_ms) {
    for (const std::string& line : lines) std::cout << formatUtc(now_ms) << "  " << line << '\n';
  }

  const bool live_ = isTerminal();
  Redraw redraw_;
  std::map<std::string, std::string> before_;
};

}  // namespace

Status watchGroup(const std::string& socket_path, const Arguments& arguments) {
  const std::string path = "/vcs/" + urlPart(arguments.positional.front()) + "/progress";
  FollowedController controller(socket_path);
  WatchView view;
  for (bool first = true; std::cout; first = false) {
    const Result<Json> progress = controller.ask(path);
    if (!first && progress.status().code() == Code::kNotFound) {
      view.end("the UnitGroup is gone");
      return okStatus();
    }
    VCC_RETURN_IF_ERROR(progress.status());
    view.show(*progress);
    switch (verdictOf(*progress)) {
      case Verdict::kReached:
        return okStatus();
      case Verdict::kFailed:
        return failedPrecondition("nothing is under way any more, and something has not reached its goal; see above");
      case Verdict::kUnderWay:
        FollowedController::pause();
    }
  }
  return okStatus();
}

}  // namespace vcc::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/condition_table.h"

#include <vector>

#include "base/clock.h"
#include "cli/table.h"

namespace vcc::cli {

std::string conditionTable(const Json& answer) {
  std::vector<std::vector<std::string>> rows{{"CONDITION", "SINCE", "TEXT"}};
  for (const Json& condition : answer.items("conditions")) {
    rows.push_back({condition.text("about"), formatUtc(condition.number("since_ms")), condition.text("text")});
  }
  return rows.size() == 1 ? std::string() : "\n" + formatTable(rows);
}

}  // namespace vcc::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_view.h"

#include <algorithm>

#include "cli/table.h"

namespace vcc::cli {
namespace {

constexpr std::size_t kBarWidth = 20;
constexpr std::size_t kWideColumns = 140;  // from here on there is room for the ids of a cloud

std::string numberOf(const Json& json, const char* key) { return std::to_string(json.number(key)); }

bool isPending(const Json& node) { return node.text("outcome") == "pending"; }
bool isSettled(const Json& node) { return node.text("outcome") == "reached"; }

/// "45 s", "3 m 20 s", "2 h 5 m"; empty for a time that is not set.
std::string span(std::int64_t from_ms, std::int64_t to_ms) {
  if (from_ms == 0) return {};
  const std::int64_t s = std::max<std::int64_t>(to_ms - from_ms, 0) / 1000;
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + " m " + std::to_string(s % 60) + " s";
  return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " m";
}

/// What a node waits for, and what went wrong last.
std::string nodeNote(const Json& node) {
  const std::string progress = node.text("progress");
  const std::string fault = node.text("fault");
  return progress + (progress.empty() || fault.empty() ? "" : "; ") + fault;
}

std::string bar(std::int64_t percent) {
  const auto full = static_cast<std::size_t>(std::clamp<std::int64_t>(percent, 0, 100)) * kBarWidth / 100;
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "]";
}

std::string nodeName(const Json& unit, const Json& node) { return unit.text("name") + "/" + numberOf(node, "node_no"); }

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::vector<std::string> unitRow(const Json& unit) {
  const std::int64_t failed = unit.number("failed");
  return {unit.text("name"),
          unit.text("provider"),
          unit.text("state"),
          orDash(unit.text("verb")),
          numberOf(unit, "reached") + " of " + numberOf(unit, "nodes"),
          bar(unit.number("percent")) + " " + numberOf(unit, "percent") + " %",
          failed > 0 ? std::to_string(failed) + " failed" : ""};
}

std::vector<std::string> nodeRow(const Json& unit, const Json& node, std::int64_t now_ms, bool wide) {
  const std::int64_t next = node.number("next_ms");
  std::vector<std::string> row{nodeName(unit, node),
                               node.text("state"),
                               node.text("goal"),
                               isPending(node) ? node.text("step") : "-",
                               orDash(span(node.number("step_ms"), now_ms)),
                               numberOf(node, "attempts"),
                               next > now_ms ? span(now_ms, next) : "-",
                               orDash(node.text("address"))};
  if (wide) {
    row.push_back(orDash(node.text("cloud_id")));
    row.push_back(orDash(node.text("machine")));
  }
  row.push_back(nodeNote(node));
  return row;
}

}  // namespace

Verdict verdictOf(const Json& progress) {
  bool failed = false;
  for (const Json& unit : progress.items("units")) {
    failed = failed || unit.number("failed") > 0 || unit.text("state") == "ERROR";
    if (unit.number("reached") + unit.number("failed") < unit.number("nodes")) return Verdict::kUnderWay;
  }
  return failed ? Verdict::kFailed : Verdict::kReached;
}

std::vector<std::string> frameOf(const Json& progress, TerminalSize size) {
  const bool wide = size.columns >= kWideColumns;
  std::vector<std::vector<std::string>> units{{"UNIT", "PROVIDER", "STATE", "DOING", "REACHED", "PROGRESS", ""}};
  std::vector<std::vector<std::string>> nodes{{"NODE", "STATE", "GOAL", "STEP", "FOR", "TRIES", "NEXT", "ADDRESS"}};
  if (wide) nodes.front().insert(nodes.front().end(), {"ID", "MACHINE"});
  nodes.front().push_back("NOTE");
  for (const Json& unit : progress.items("units")) units.push_back(unitRow(unit));
  for (const bool settled : {false, true}) {
    for (const Json& unit : progress.items("units")) {
      for (const Json& node : unit.items("node")) {
        if (isSettled(node) == settled) nodes.push_back(nodeRow(unit, node, progress.number("now_ms"), wide));
      }
    }
  }
  std::vector<std::string> lines{"UnitGroup " + progress.text("name") + " of " + progress.text("owner") + ": " +
                                 progress.text("state")};
  for (const Json& condition : progress.items("conditions")) {
    lines.push_back(printable(condition.text("about") + ": " + condition.text("text")));
  }
  for (std::string& line : split(formatTable(units))) lines.push_back(std::move(line));
  lines.emplace_back();
  // The last row of the terminal holds the cursor, the one above tells what did not fit.
  const std::size_t room = size.rows > lines.size() + 3 ? size.rows - lines.size() - 2 : 2;
  const std::size_t hidden = nodes.size() > room ? nodes.size() - room : 0;
  nodes.resize(nodes.size() - hidden);
  for (std::string& line : split(formatTable(nodes))) lines.push_back(std::move(line));
  if (hidden > 0) lines.push_back("... and " + std::to_string(hidden) + " more nodes");
  return lines;
}

std::map<std::string, std::string> linesOf(const Json& progress) {
  std::map<std::string, std::string> lines;
  for (const Json& unit : progress.items("units")) {
    std::string text = unit.text("state") + ", " + numberOf(unit, "reached") + " of " + numberOf(unit, "nodes") +
                       " nodes reached their goal";
    if (!unit.text("verb").empty()) text += ", " + unit.text("verb");
    if (unit.number("failed") > 0) text += ", " + numberOf(unit, "failed") + " failed";
    if (!unit.text("fault").empty()) text += ": " + unit.text("fault");
    lines["unit " + unit.text("name")] = text;
    for (const Json& node : unit.items("node")) {
      std::string line = node.text("state");
      if (isPending(node)) line += ", step " + node.text("step") + ", goal " + node.text("goal");
      if (node.number("attempts") > 0) line += ", tried " + numberOf(node, "attempts") + " times";
      if (!node.text("address").empty()) line += ", " + node.text("address");
      if (!node.text("cloud_id").empty()) line += ", " + node.text("cloud_id");
      if (!nodeNote(node).empty()) line += ": " + nodeNote(node);
      lines[nodeName(unit, node)] = line;
    }
  }
  for (const Json& condition : progress.items("conditions")) {
    lines["condition of " + condition.text("about")] = condition.text("text");
  }
  return lines;
}

std::vector<std::string> changesOf(const std::map<std::string, std::string>& before,
                                   const std::map<std::string, std::string>& now) {
  std::vector<std::string> changes;
  for (const auto& [object, line] : now) {
    const auto old = before.find(object);
    if (old == before.end() || old->second != line) changes.push_back(printable(object + ": " + line));
  }
  for (const auto& [object, line] : before) {
    if (!now.contains(object)) changes.push_back(printable(object + ": gone"));
  }
  return changes;
}

}  // namespace vcc::cli

// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <algorithm>
#include <array>

#include "vcp/plugin/cpp/json.h"

namespace vcp::check {
namespace {

using plugin::Json;

constexpr std::array<const char*, 4> kWords{"pass", "warn", "FAIL", "skip"};

const char* wordOf(Verdict verdict) { return kWords[static_cast<std::size_t>(verdict)]; }

void printLine(std::FILE* out, const char* key, const std::string& value) {
  if (value.empty()) return;
  std::fprintf(out, "        %-9s ", key);
  for (const char c : value) {
    if (c == '\n') {
      std::fputs("\n                  ", out);
    } else {
      std::fputc(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c, out);
    }
  }
  std::fputc('\n', out);
}

}  // namespace

int Report::count(Verdict verdict) const {
  return static_cast<int>(
      std::count_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.outcome.verdict == verdict; }));
}

int Report::exitCode() const { return count(Verdict::kFail) > 0 ? 1 : 0; }

void Report::printText(std::FILE* out) const {
  std::fprintf(out, "%s %s\n", subject_.c_str(), file_.c_str());
  for (const auto& [key, value] : facts_) std::fprintf(out, "  %-16s %s\n", key.c_str(), value.c_str());
  for (const Row& row : rows_) {
    std::fprintf(out, "  %s  %-28s %s\n", wordOf(row.outcome.verdict), row.topic.name, row.topic.claim);
    if (row.outcome.verdict == Verdict::kPass) continue;
    if (row.outcome.verdict == Verdict::kSkip) {
      printLine(out, "because", row.outcome.seen);
      continue;
    }
    printLine(out, "expected", row.outcome.expected);
    printLine(out, "seen", row.outcome.seen);
    printLine(out, "contract", std::string("\"") + row.topic.sentence + "\" (" + row.topic.source + ")");
    printLine(out, "remedy", row.topic.remedy);
  }
  if (rows_.empty()) return;
  std::fprintf(out, "%d passed, %d failed, %d warned, %d skipped\n", count(Verdict::kPass), count(Verdict::kFail),
               count(Verdict::kWarn), count(Verdict::kSkip));
}

void Report::printJson(std::FILE* out) const {
  Json checks = Json::array();
  for (const Row& row : rows_) {
    checks.push_back({{"name", row.topic.name},
                      {"verdict", row.outcome.verdict == Verdict::kFail ? "fail" : wordOf(row.outcome.verdict)},
                      {"claim", row.topic.claim},
                      {"expected", row.outcome.expected},
                      {"seen", row.outcome.seen},
                      {"contract", row.topic.sentence},
                      {"source", row.topic.source},
                      {"remedy", row.topic.remedy},
                      {"took_ms", row.took_ms}});
  }
  Json facts = Json::object();
  for (const auto& [key, value] : facts_) facts[key] = value;
  const Json report{{"subject", subject_},
                    {"file", file_},
                    {"facts", facts},
                    {"checks", checks},
                    {"passed", count(Verdict::kPass)},
                    {"failed", count(Verdict::kFail)},
                    {"warned", count(Verdict::kWarn)},
                    {"skipped", count(Verdict::kSkip)}};
  std::fprintf(out, "%s\n", report.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace vcp::check

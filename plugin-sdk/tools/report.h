// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace vcp::check {

enum class Verdict : std::uint8_t { kPass, kWarn, kFail, kSkip };

/// What one check came to.
struct Outcome {
  Verdict verdict = Verdict::kPass;
  std::string expected;  ///< empty: the claim says it
  std::string seen;      ///< of a skip: why
};

/// What a check is about, whatever it comes to. Literals.
struct Topic {
  const char* name;
  const char* claim;     ///< what it proves, in one line
  const char* sentence;  ///< of the contract
  const char* source;    ///< where that sentence stands
  const char* remedy;
};

/// Thrown by checks.
struct Failed {
  std::string expected;
  std::string seen;
};
struct Skipped {
  std::string reason;
};

[[noreturn]] inline void fail(std::string expected, std::string seen) {
  throw Failed{std::move(expected), std::move(seen)};
}
inline void expect(bool holds, std::string expected, std::string seen) {
  if (!holds) fail(std::move(expected), std::move(seen));
}

class Report {
 public:
  Report(std::string subject, std::string file) : subject_(std::move(subject)), file_(std::move(file)) {}

  void add(const Topic& topic, Outcome outcome, std::int64_t took_ms) {
    rows_.push_back({topic, std::move(outcome), took_ms});
  }
  /// A fact about the file ("id", "jp.ac.nii.vcp.mock"), shown above the checks.
  void fact(std::string key, std::string value) { facts_.emplace_back(std::move(key), std::move(value)); }

  void printText(std::FILE* out) const;
  void printJson(std::FILE* out) const;
  /// 0: nothing failed; 1: something did.
  int exitCode() const;

 private:
  struct Row {
    Topic topic;
    Outcome outcome;
    std::int64_t took_ms;
  };
  int count(Verdict verdict) const;

  std::string subject_;
  std::string file_;
  std::vector<std::pair<std::string, std::string>> facts_;
  std::vector<Row> rows_;
};

}  // namespace vcp::check

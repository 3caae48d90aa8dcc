// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "sim/scheduler.h"

namespace vcc::sim {

/// Sees everything that a run says and does: what must not be there is a violation, the rest is traced.
class Witness {
 public:
  Witness(const Scheduler& scheduler, Trace& trace, std::vector<std::string> allowed_errors, bool verbose)
      : scheduler_(scheduler), trace_(trace), allowed_(std::move(allowed_errors)), verbose_(verbose) {}

  /// A text that may be in requests to its cloud and nowhere else.
  void addSecret(std::string secret) { secrets_.push_back(std::move(secret)); }
  void allow(std::string id) { allowed_.push_back(std::move(id)); }

  void violation(const std::string& what) {
    violations.push_back(fmt::format("at {} ms: {}", scheduler_.now(), what));
    tell("VIOLATION", what);
  }
  /// What happened, for the trace and for who reads along.
  void tell(std::string_view who, std::string_view what) {
    trace_.add(who);
    trace_.add(what);
    if (verbose_) std::fputs(fmt::format("{:>10} {:<12} {}\n", scheduler_.now(), who, what).c_str(), stdout);
  }
  /// `place` must hold no secret.
  void checkSecrets(std::string_view text, std::string_view place) {
    for (const std::string& secret : secrets_) {
      if (text.find(secret) != std::string_view::npos) violation(fmt::format("a secret is in {}", place));
    }
  }
  bool isAllowed(std::string_view id) const {
    for (const std::string& known : allowed_) {
      if (known == id) return true;
    }
    return false;
  }

  std::vector<std::string> violations;

 private:
  const Scheduler& scheduler_;
  Trace& trace_;
  std::vector<std::string> allowed_;
  std::vector<std::string> secrets_;
  const bool verbose_;
};

/// The log of a process: nothing is heard of the dead.
class SimLogger final : public Logger {
 public:
  SimLogger(Witness& witness, std::shared_ptr<Life> life) : witness_(witness), life_(std::move(life)) {}

  void write(Severity severity, std::string_view id, std::string_view text,
             std::initializer_list<LogField> fields) override {
    if (life_->dead) return;
    std::string line = fmt::format("{} {}", id, text);
    for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, field.value);
    witness_.tell(life_->name, line);
    witness_.checkSecrets(line, "the log");
    if (severity == Severity::kError && !witness_.isAllowed(id)) witness_.violation("an error in the log: " + line);
  }

 private:
  Witness& witness_;
  const std::shared_ptr<Life> life_;
};

}  // namespace vcc::sim

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/status.h"

/// What the benchmarks that run an engine share.
namespace vcc::bench {

/// Shows what is wrong, and nothing else.
class Quiet final : public Logger {
 public:
  void write(Severity severity, std::string_view id, std::string_view text, std::initializer_list<LogField>) override {
    if (severity >= Severity::kWarning) fmt::print(stderr, "{} {}\n", id, text);
  }
};

/// The value, or the end of the program with the reason.
template <typename T>
T need(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{}\n", result.status().toString());
  std::exit(1);
}
inline void need(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "{}\n", status.toString());
  std::exit(1);
}

/// Of this process so far.
inline double cpuSeconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace vcc::bench

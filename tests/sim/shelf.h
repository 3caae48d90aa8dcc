// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "plugin_host/loader.h"
#include "sim/scenario.h"

namespace vcc::sim {

/// What is of the process and not of a run: mapped plugin files and the loader that opens drivers of them. The seams
/// that the loader was given once lead to those of the present run and controller.
class Shelf {
 public:
  /// `folder`: where driver files are.
  explicit Shelf(const std::string& folder);
  ~Shelf();

  /// Seams of who opens drivers and calls them from now on. Borrowed.
  struct Seams {
    const Clock* clock = nullptr;
    Random* random = nullptr;
    Logger* log = nullptr;
    HttpTransport* http = nullptr;
    ExecutorFactory make_executor;
  };
  Seams seams;
  /// The log of whoever runs, by the scheduler.
  std::function<Logger&()> log_of_current;

  /// Opens an instance of the driver of `spec`, with the interposers of the product around it. Throws
  /// std::runtime_error when it is refused.
  DriverSlot open(const CloudSpec& spec);

 private:
  class ClockOf;
  class RandomOf;
  class LogOf;
  class HttpOf;

  PosixFileSystem files_;
  std::unique_ptr<ClockOf> clock_;
  std::unique_ptr<RandomOf> random_;
  std::unique_ptr<LogOf> log_;
  std::unique_ptr<HttpOf> http_;
  std::unique_ptr<InstanceLoader> loader_;
  struct Mapped {
    std::shared_ptr<PluginFile> file;
    DriverSlot slot;
  };
  std::map<std::string, Mapped> mapped_;
};

}  // namespace vcc::sim

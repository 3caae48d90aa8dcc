// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"
#include "server/settings.h"

namespace vcc {

/// The seams that are the same for the whole process.
struct ProcessSeams {
  const Clock& clock;
  Random& random;
  FileSystem& files;
  Logger& log;
};

/// All parts of the server, in the order in which they start: data folder, store, drivers, ssh key, engine,
/// listeners. What fails says so and takes down what was started before it.
class Controller {
 public:
  /// Starts everything; returns once requests are served. `seams` outlive the result.
  static Result<std::unique_ptr<Controller>> start(const Settings& settings, const ProcessSeams& seams);
  /// The mirror image of the start; requests and driver calls under way get a few seconds. Does nothing twice. False
  /// when a driver is still in a call that it does not return from (DRIVER_LEFT_BEHIND): its thread uses what the
  /// destructors take down, so the process has to end without them. The store is safe at any instant.
  [[nodiscard]] bool stop();
  ~Controller();

  /// Reads the VPN catalog again; a bad file keeps the present one and is logged.
  void reload();

 private:
  struct Parts;
  explicit Controller(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace vcc

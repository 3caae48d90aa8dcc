// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/clock.h"
#include "host/host.h"

namespace vcc {

/// `Host` for machines that exist only in a simulated cloud, and for `--simulated-hosts`: always reachable, images
/// always there, every call succeeds. Containers are a fiction that is not remembered: `inspect` reports none, and a
/// run returns the id "sim-<name>". Never blocks. `clock` is borrowed.
std::unique_ptr<Host> makeSimulatedHost(const Clock& clock);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "host/prober.h"

namespace vcc {

struct ProberOptions {
  std::int64_t timeout_ms = 3000;  ///< of one probe: connection and first line
  /// A port that did not answer is asked again after this, when its interval is longer. OpenSSH from 9.8 on counts a
  /// second of penalty for each connection without a login and closes the door at 15: ten seconds never add up.
  std::int64_t retry_ms = 10000;
  std::size_t most_at_once = 256;  ///< sockets
};

/// The Prober of real hosts: one thread with one epoll, TCP connections that send nothing, read one line at most and
/// end. Ports are spread over their interval at random, with 10 % of jitter. The destructor joins the thread.
/// kInternal when the system has no epoll or event descriptor left. All references outlive the result.
Result<std::unique_ptr<Prober>> makeBannerProber(const ProberOptions& options, const Clock& clock, Random& random,
                                                 ProbeReport report);

}  // namespace vcc

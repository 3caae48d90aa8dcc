// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the process as a whole is, set before any thread starts.
namespace vcc {

/// No core dumps and no debugger of the same user (memory holds credentials), files for nobody else, no SIGPIPE, two
/// malloc arenas (more of them keep memory that nobody uses), and SIGTERM, SIGINT, SIGHUP blocked, so that
/// `waitForSignal` gets them.
void prepareProcess();

enum class Signal { kStop, kReload };
/// Blocks until the process is told something.
Signal waitForSignal();

/// Lets the kernel end the process if it has not ended by itself in time: state is safe at any instant.
void limitStop(unsigned seconds);

}  // namespace vcc

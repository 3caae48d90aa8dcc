// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/http_server.h"

namespace vcc {

/// The check of the admin socket (architecture 20): the kernel says who connected; root and the user that runs the
/// controller are let in, logged as "uid=0 pid=17". kPermissionDenied for anybody else.
PeerCheck adminPeer(Logger& log);

}  // namespace vcc

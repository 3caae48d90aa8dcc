// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/secret_string.h"
#include "base/status.h"

namespace vcc {

/// The first line of standard input, without its end; from a terminal with a prompt and without echo. Blocks.
/// kFailedPrecondition when there is none, or an empty or overlong one.
Result<SecretString> readPassphrase();

}  // namespace vcc

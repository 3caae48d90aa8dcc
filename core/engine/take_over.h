// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "store/store.h"

namespace vcc {

/// What a process may not conclude from the time that the records say has passed since another one wrote them: it
/// cannot know whether the clock was set meanwhile, or what that one had under way when it died. Counts of which the
/// existence of something depends, or our record of it, begin anew; the others stand. Inside a transaction.
///
/// `ended_at`: until when whoever drove the machines before may have sent requests; at or after the present.
Status countAnew(Tx& tx, std::int64_t ended_at);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "store/store.h"

/// The times by which records wait: since when something is so, and until when it must not be or have ended. What the
/// engine may conclude rests on how far they are apart ("not seen twice, this long apart"), so they keep their
/// distance to the present when the wall clock is set. Times that only people read (events, when a record was made)
/// stay what they were.
namespace vcc {

/// Moves them all by `by_ms`. Records whose unit or VC is missing are left alone: nothing is done with them.
Status moveTimes(Tx& tx, std::int64_t by_ms);

/// The latest of those that lay in the past when they were written; 0 = there are none. Later than the present: the
/// wall clock was put back since.
std::int64_t latestTime(Tx& tx);

/// The time, as records count it inside `tx`, of something that happened at `mono_ms` of `clock`. Never too late, also
/// when the wall clock was set since.
template <typename AnyTx>
std::int64_t timeIn(const AnyTx& tx, const Clock& clock, std::int64_t mono_ms) {
  return tx.now() - (clock.monoMs() - mono_ms);
}

}  // namespace vcc

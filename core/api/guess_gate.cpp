// SPDX-License-Identifier: Apache-2.0
#include "api/guess_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/peer_source.h"
#include "base/encoding.h"
#include "secrets/tokens.h"

namespace vcc {
namespace {

constexpr std::size_t kShownPeerBytes = 64;

std::string knownKey(const std::string& source, std::string_view token_hash) {
  return fmt::format("{}/{}", source, token_hash);
}

}  // namespace

GuessGate::GuessGate(const Clock& clock, Logger& log, GuessLimits limits)
    : clock_(clock), log_(log), limits_(limits), sources_(limits.max_sources), known_(limits.max_known) {}

Status GuessGate::check(std::string_view peer, std::string_view token) {
  const std::string source = sourceOf(peer);
  const std::int64_t now = clock_.monoMs();
  std::int64_t wait_ms = 0;
  bool tell = false;
  {
    const MutexLock lock(mutex_);
    Source* const found = sources_.find(source);
    if (found == nullptr) return okStatus();
    wait_ms = found->wrong.waitMs(limits_.wrong, now);
    if (wait_ms <= 0 || known_.find(knownKey(source, tokenHash(token))) != nullptr) return okStatus();
    tell = found->silent_until_ms <= now;
    if (tell) found->silent_until_ms = now + limits_.wrong.burst * limits_.wrong.refill_ms;
  }
  const std::string shown = cleanUtf8(peer, kShownPeerBytes);
  if (tell) {
    log_.warn("API_GUESSES_REFUSED",
              "too many wrong tokens came from this address; others than those that were right "
              "before are not looked up for a while",
              {{"peer", shown}, {"wait_ms", wait_ms}});
  }
  return resourceExhausted(fmt::format("{}: the token is not looked up: too many wrong tokens came from this address; "
                                       "correct the programs that send them and ask again in {} s",
                                       shown, (wait_ms + 999) / 1000))
      .withRetryAfter(wait_ms);
}

void GuessGate::succeeded(std::string_view peer, std::string_view token_hash) {
  const std::string key = knownKey(sourceOf(peer), token_hash);
  const MutexLock lock(mutex_);
  known_.use(key);
}

void GuessGate::failed(std::string_view peer, std::string_view token_hash) {
  const std::string key = sourceOf(peer);
  const std::int64_t now = clock_.monoMs();
  const MutexLock lock(mutex_);
  known_.erase(knownKey(key, token_hash));  // revoked: it must not go on emptying the bucket of its neighbours
  sources_.use(key).wrong.use(limits_.wrong, now);
}

}  // namespace vcc

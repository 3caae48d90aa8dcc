// SPDX-License-Identifier: Apache-2.0
#include "api/guess_gate.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "secrets/tokens.h"

namespace vcc {
namespace {

constexpr std::size_t kShownPeerBytes = 64;

std::string knownKey(const std::string& source, std::string_view token_hash) {
  return fmt::format("{}/{}", source, token_hash);
}

}  // namespace

std::string guessSource(std::string_view peer) {
  std::string text(peer.substr(0, peer.find('%')));  // without the zone of a link-local address
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  const std::string_view whole(bytes.data(), bytes.size());
  return std::string(whole.starts_with(kMapped) ? whole.substr(kMapped.size()) : whole.substr(0, 8));
}

GuessGate::GuessGate(const Clock& clock, Logger& log, GuessLimits limits)
    : clock_(clock), log_(log), limits_(limits), sources_(limits.max_sources), known_(limits.max_known) {}

Status GuessGate::check(std::string_view peer, std::string_view token) {
  const std::string source = guessSource(peer);
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
  const std::string key = knownKey(guessSource(peer), token_hash);
  const MutexLock lock(mutex_);
  known_.use(key);
}

void GuessGate::failed(std::string_view peer, std::string_view token_hash) {
  const std::string key = guessSource(peer);
  const std::int64_t now = clock_.monoMs();
  const MutexLock lock(mutex_);
  known_.erase(knownKey(key, token_hash));  // revoked: it must not go on emptying the bucket of its neighbours
  sources_.use(key).wrong.use(limits_.wrong, now);
}

}  // namespace vcc

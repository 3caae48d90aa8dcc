// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "case_file.h"
#include "vcp/plugin/testing/fake_host.h"

namespace vcp::check {

/// Rules that are watched in every call, whatever it is made for.
enum class Rule : std::uint8_t {
  kAnswers,  ///< one answer per item, for no other item
  kTexts,    ///< UTF-8 within the limits
  kSecrets,  ///< no secret in logs, errors, states, parts
  kBleed,    ///< no secret of another grant in a request
  kHonest,   ///< an outcome that is true
};

/// What was seen against the rules. Thread safe.
class Notes {
 public:
  void add(Rule rule, const std::string& text);
  /// The first few, joined; empty when the rule was kept.
  std::string of(Rule rule) const;

 private:
  mutable std::mutex mutex_;
  std::map<Rule, std::vector<std::string>> texts_;
};

class CheckHost;

/// How a call is made.
struct Asking {
  const Grant* grant = nullptr;  ///< null: the first of the case
  std::string vcc;               ///< empty: this controller
  std::int64_t deadline_ms = 60'000;
  bool cancelled = false;
  int cancel_after = -1;  ///< the call is cancelled after that many requests; -1 = never
  std::string spec;       ///< empty: that of the case
};

/// One call in progress.
struct Frame {
  Frame(CheckHost& on, const Asking& asking, std::string op_id, std::int64_t attempt, std::string entry,
        const Grant& of, std::string vcc_id);
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  static Frame& of(const vcp_call_t* call) { return *static_cast<Frame*>(call->host_data); }

  CheckHost& host;
  const Grant& grant;
  const std::string op;
  const std::string catalog_entry;
  const std::string vcc;
  const int cancel_after;
  std::atomic<bool> cancelled;
  // Counted by the wire, one request at a time:
  int requests = 0;
  int changes = 0;       ///< requests that ask for a change
  int applied = 0;       ///< of them, carried out
  int after_cancel = 0;  ///< requests tried although the call had been cancelled
  int faults = 0;        ///< requests that met the fault that was set
  std::atomic<std::int64_t> slept_ms{0};
  vcp_call_t raw{};
};

/// The host of the suite: virtual time (real with `live`), logs looked through, every service lent but HTTP, which is
/// that of the wire.
class CheckHost : public plugin::testing::FakeHost {
 public:
  CheckHost(std::uint64_t seed, bool live, std::vector<const Grant*> grants);

  Notes notes;
  /// What else ages with the host.
  std::function<void(std::int64_t ms)> on_pass = [](std::int64_t) {};

  /// Lets `ms` milliseconds pass.
  void pass(std::int64_t ms);
  std::int64_t now() const;
  bool isLive() const { return live_; }

  /// Looks through a text that a driver gave to its host.
  void inspect(const std::string& where, std::string_view text, std::size_t limit);
  /// Looks through a text that a driver sent for `grant`.
  void inspectRequest(const std::string& where, std::string_view text, const Grant& grant);

 private:
  static CheckHost& self(const vcp_host_t* host);

  const bool live_;
  const std::vector<const Grant*> grants_;
};

}  // namespace vcp::check

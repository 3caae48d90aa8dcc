// SPDX-License-Identifier: Apache-2.0
#include "check_host.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "isolate.h"
#include "plugin.h"

namespace vcp::check {
namespace {

using plugin::view;

constexpr std::size_t kMaxNotes = 5;
constexpr std::int64_t kLiveSliceMs = 100;

}  // namespace

void Notes::add(Rule rule, const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string>& texts = texts_[rule];
  if (texts.size() < kMaxNotes && std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

std::string Notes::of(Rule rule) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string all;
  if (const auto found = texts_.find(rule); found != texts_.end()) {
    for (const std::string& text : found->second) all += (all.empty() ? "" : "\n") + text;
  }
  return all;
}

Frame::Frame(CheckHost& on, const Asking& asking, std::string op_id, std::int64_t attempt, std::string entry,
             const Grant& of, std::string vcc_id)
    : host(on),
      grant(of),
      op(std::move(op_id)),
      catalog_entry(std::move(entry)),
      vcc(std::move(vcc_id)),
      cancel_after(asking.cancel_after),
      cancelled(asking.cancelled) {
  raw.struct_size = sizeof raw;
  raw.host_data = this;
  raw.op_id = plugin::borrow(op);
  raw.attempt = attempt;
  raw.deadline_mono_ms = host.now() + asking.deadline_ms;
  raw.vcc_id = plugin::borrow(vcc);
  raw.catalog_entry = plugin::borrow(catalog_entry);
  raw.credentials = plugin::borrow(grant.credentials);
  raw.is_cancelled = [](const vcp_call_t* call) -> std::int32_t {
    const Frame& frame = Frame::of(call);
    return frame.cancelled || frame.host.now() >= call->deadline_mono_ms ? 1 : 0;
  };
  raw.progress = [](const vcp_call_t* call, std::int32_t, vcp_string_t message) {
    Frame::of(call).host.inspect("progress", view(message), 256);
  };
}

CheckHost::CheckHost(std::uint64_t seed, bool live, std::vector<const Grant*> grants)
    : FakeHost(seed), live_(live), grants_(std::move(grants)) {
  if (live_) {
    mono_ms = steadyMs();
    table_.wall_ms = [](const vcp_host_t*) -> std::int64_t {
      return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
    };
    table_.monotonic_ms = [](const vcp_host_t*) { return steadyMs(); };
  }
  table_.log = [](const vcp_host_t* host, std::int32_t, vcp_string_t event, vcp_string_t message,
                  const vcp_log_field_t* fields, std::uint64_t count) {
    CheckHost& host_of = self(host);
    host_of.inspect("log event", view(event), 128);
    host_of.inspect("log message", view(message), 2000);
    for (std::uint64_t i = 0; i < count; ++i) {
      host_of.inspect("log field", view(fields[i].key), 128);
      host_of.inspect("log field", view(fields[i].value), 2000);
    }
  };
  table_.sleep = [](const vcp_host_t* host, const vcp_call_t* call, std::int64_t ms) -> std::int32_t {
    CheckHost& host_of = self(host);
    if (call == nullptr || call->host_data == nullptr || ms < 0) return VCP_INVALID_ARGUMENT;
    Frame& frame = Frame::of(call);
    if (frame.cancelled) return VCP_CANCELLED;
    const std::int64_t left = std::max<std::int64_t>(0, call->deadline_mono_ms - host_of.now());
    const std::int64_t slept = std::min(ms, left);
    frame.slept_ms += slept;
    host_of.pass(slept);
    return slept < ms ? VCP_DEADLINE_EXCEEDED : VCP_OK;
  };
}

CheckHost& CheckHost::self(const vcp_host_t* host) {
  return *static_cast<CheckHost*>(static_cast<FakeHost*>(host->host_data));
}

std::int64_t CheckHost::now() const { return live_ ? steadyMs() : mono_ms.load(); }

void CheckHost::pass(std::int64_t ms) {
  if (!live_) {
    mono_ms += ms;
    wall_ms += ms;
    return on_pass(ms);
  }
  for (const std::int64_t end = steadyMs() + ms; steadyMs() < end;) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(std::min(kLiveSliceMs, std::max<std::int64_t>(1, end - steadyMs()))));
  }
}

void CheckHost::inspect(const std::string& where, std::string_view text, std::size_t limit) {
  if (!isUtf8(text)) notes.add(Rule::kTexts, where + " is not UTF-8");
  if (text.size() > limit) {
    notes.add(Rule::kTexts,
              where + " has " + std::to_string(text.size()) + " bytes, " + std::to_string(limit) + " are allowed");
  }
  for (const Grant* grant : grants_) {
    for (const std::string& secret : grant->secrets) {
      if (text.find(secret) != std::string_view::npos) notes.add(Rule::kSecrets, where + " carries a secret value");
    }
  }
}

void CheckHost::inspectRequest(const std::string& where, std::string_view text, const Grant& grant) {
  for (const Grant* other : grants_) {
    if (other == &grant) continue;
    for (const std::string& secret : other->secrets) {
      const bool shared = std::find(grant.secrets.begin(), grant.secrets.end(), secret) != grant.secrets.end();
      if (!shared && text.find(secret) != std::string_view::npos) {
        notes.add(Rule::kBleed, where + ": a request of one user carries a secret of another");
      }
    }
  }
}

}  // namespace vcp::check

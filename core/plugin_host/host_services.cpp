// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/host_services.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <span>

#include "base/encoding.h"
#include "base/mutex.h"
#include "base/version.h"
#include "plugin_host/call_secrets.h"
#include "plugin_host/cancellation.h"
#include "plugin_host/crypto_extension.h"
#include "plugin_host/http_extension.h"
#include "plugin_host/json_extension.h"
#include "plugin_host/session_extension.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxLogText = 2000;
constexpr std::size_t kMaxLogWord = 64;
constexpr std::size_t kMaxLogValue = 200;
constexpr std::uint64_t kMaxLogFields = 16;
constexpr std::uint64_t kMaxRandom = 1U << 20U;
constexpr std::int64_t kNoDeadline = std::numeric_limits<std::int64_t>::max() / 2;

/// The text in a fixed array of a plugin, whether or not it ends in NUL.
template <std::size_t N>
std::string arrayText(const char (&array)[N]) {
  return cleanUtf8({array, strnlen(array, N)}, N);
}

}  // namespace

vcp_string_t toAbi(std::string_view text) { return {text.data(), text.size()}; }

std::string_view fromAbi(const vcp_string_t& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

vcp_error_t emptyError() {
  vcp_error_t error{};
  error.struct_size = sizeof error;
  return error;
}

Status fromAbi(std::int32_t code, const vcp_error_t& error, bool mutation) {
  const bool known = code >= VCP_CANCELLED && code <= VCP_UNAUTHENTICATED;
  Outcome outcome = Outcome::kUnknown;
  if (error.outcome >= VCP_OUTCOME_NOT_APPLIED && error.outcome <= VCP_OUTCOME_UNKNOWN) {
    outcome = static_cast<Outcome>(error.outcome);
  } else if (!mutation) {
    outcome = Outcome::kUnspecified;
  }
  std::string message = arrayText(error.message);
  if (message.empty()) message = "the driver gave no reason";
  if (error.request_id[0] != '\0') message += " (request " + arrayText(error.request_id) + ")";
  Status status(known ? static_cast<Code>(code) : Code::kUnknown, std::move(message), outcome);
  if (error.provider_code[0] != '\0') status.withProviderCode(arrayText(error.provider_code));
  if (error.retry_after_ms > 0) status.withRetryAfter(std::min<std::int64_t>(error.retry_after_ms, 3'600'000));
  return status;
}

bool waitUnless(std::int64_t ms, const std::function<bool()>& stop) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  while (ms > 0) {
    if (stop()) return false;
    const std::int64_t slice = std::min(ms, kCancelSliceMs);
    never.waitFor(lock, std::chrono::milliseconds(slice), [] { return false; });
    ms -= slice;
  }
  return !stop();
}

HostServices::HostServices(const HostEnvironment& environment, std::string name)
    : environment_(environment),
      name_(std::move(name)),
      crypto_(std::make_unique<CryptoExtension>(*this)),
      json_(std::make_unique<JsonExtension>(*this)),
      session_(std::make_unique<SessionExtension>(*this)) {
  table_.struct_size = sizeof table_;
  table_.abi_minor = VCP_ABI_MINOR;
  table_.host_data = this;
  table_.name = toAbi("occtr");
  table_.version = toAbi(kVersion);
  table_.log = &log;
  table_.log_enabled = [](const vcp_host_t*, std::int32_t) noexcept -> std::int32_t { return 1; };
  table_.wall_ms = [](const vcp_host_t* host) noexcept { return of(host).environment_.clock.wallMs(); };
  table_.monotonic_ms = [](const vcp_host_t* host) noexcept { return of(host).environment_.clock.monoMs(); };
  table_.sleep = &pause;
  table_.random_bytes = &randomBytes;
  table_.get_extension = &extension;
}

HostServices::~HostServices() = default;

void HostServices::lendHttp(std::unique_ptr<HttpService> service) {
  http_ = std::make_unique<HttpExtension>(*this, std::move(service));
}

const void* HostServices::extension(const vcp_host_t* host, vcp_string_t id) noexcept {
  const HostServices& self = of(host);
  const std::string_view name = fromAbi(id);
  if (name == VCP_HTTP_ID && self.http_) return self.http_->table();
  if (name == VCP_SESSION_ID) return self.session_->table();
  if (name == VCP_CRYPTO_ID) return self.crypto_->table();
  if (name == VCP_JSON_ID) return self.json_->table();
  return nullptr;
}

void HostServices::endCall(const void* frame) const noexcept { session_->endCall(frame); }

const HostServices& HostServices::of(const vcp_host_t* host) { return *static_cast<HostServices*>(host->host_data); }

void HostServices::misbehaved(const std::string& what) const noexcept {
  try {
    environment_.log.error("PLUGIN_MISBEHAVED", what, {{"driver", name_}});
  } catch (...) {  // a line that cannot be written must not end the process
  }
}

void HostServices::log(const vcp_host_t* host, std::int32_t severity, vcp_string_t event, vcp_string_t message,
                       const vcp_log_field_t* fields, std::uint64_t count) noexcept {
  try {
    const HostServices& self = of(host);
    std::string text = cleanUtf8(fromAbi(message), kMaxLogText);
    for (std::uint64_t i = 0; fields != nullptr && i < std::min(count, kMaxLogFields); ++i) {
      text += " " + cleanUtf8(fromAbi(fields[i].key), kMaxLogWord) + "=" +
              cleanUtf8(fromAbi(fields[i].value), kMaxLogValue);
    }
    const std::string word = cleanUtf8(fromAbi(event), kMaxLogWord);
    const std::initializer_list<LogField> mark = {{"driver", self.name_}, {"event", word}};
    Logger& log = self.environment_.log;
    switch (severity) {
      case VCP_LOG_DEBUG:
        return log.debug("PLUGIN_LOG", text, mark);
      case VCP_LOG_WARNING:
        return log.warn("PLUGIN_LOG", text, mark);
      case VCP_LOG_ERROR:
        return log.error("PLUGIN_LOG", text, mark);
      default:
        return log.info("PLUGIN_LOG", text, mark);
    }
  } catch (...) {  // out of memory: the line is lost
  }
}

std::int32_t HostServices::pause(const vcp_host_t* host, const vcp_call_t* call, std::int64_t ms) noexcept {
  if (call == nullptr || call->host_data == nullptr || ms < 0) return VCP_INVALID_ARGUMENT;
  try {
    const auto& frame = *static_cast<const CallFrame*>(call->host_data);
    const std::int64_t left = call->deadline_mono_ms - of(host).environment_.clock.monoMs();
    if (!waitUnless(std::min(ms, std::max<std::int64_t>(left, 0)), [&] { return frame.isCancelled(); })) {
      return VCP_CANCELLED;
    }
    return left < ms ? VCP_DEADLINE_EXCEEDED : VCP_OK;
  } catch (...) {
    return VCP_CANCELLED;
  }
}

std::int32_t HostServices::randomBytes(const vcp_host_t* host, std::uint8_t* out, std::uint64_t size) noexcept {
  if (out == nullptr || size > kMaxRandom) return VCP_INVALID_ARGUMENT;
  try {
    of(host).environment_.random.fill(std::span<std::uint8_t>(out, size));
    return VCP_OK;
  } catch (...) {
    return VCP_INTERNAL;
  }
}

CallFrame::CallFrame(const HostServices& host, const CallContext& context) : host_(host), context_(context) {
  const std::int64_t now = host.environment().clock.monoMs();
  raw_.struct_size = sizeof raw_;
  raw_.host_data = this;
  raw_.op_id = toAbi(context.op_id);
  raw_.attempt = context.attempt;
  raw_.deadline_mono_ms = context.deadline_ms == 0 ? kNoDeadline : now + std::min(context.deadline_ms, kNoDeadline / 2);
  raw_.vcc_id = toAbi(context.vcc_id);
  raw_.catalog_entry = toAbi(context.catalog_entry);
  raw_.credentials = toAbi(context.credentials.reveal());
  raw_.is_cancelled = [](const vcp_call_t* call) noexcept -> std::int32_t {
    const auto& frame = *static_cast<const CallFrame*>(call->host_data);
    return frame.isCancelled() || frame.isOverdue() ? 1 : 0;
  };
  raw_.progress = [](const vcp_call_t* call, std::int32_t percent, vcp_string_t message) noexcept {
    const auto& frame = *static_cast<const CallFrame*>(call->host_data);
    try {
      const Scrubber scrubber = scrubberOf(frame.context_.credentials);
      frame.host_.environment().log.debug(
          "DRIVER_PROGRESS", cleanUtf8(scrubber.scrub(fromAbi(message)), 256),
          {{"driver", frame.host_.name()}, {"op", frame.context_.op_id}, {"percent", percent}});
    } catch (...) {  // only for show
    }
  };
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/random.h"
#include "plugin_host/host_services.h"
#include "rig.h"
#include "support/fake_clock.h"
#include "vcp/plugin/cpp/extension.h"

namespace vcc::test {

/// The host's table of one driver instance, on a clock that stands still.
struct ServicesRig {
  FakeClock clock;
  SeededRandom random{1};
  CountingLogger log;
  HostServices services{{clock, random, log}, "cloud"};
  vcp::plugin::Host host{services.table()};

  template <class Table>
  const Table* table(const char* id) const {
    return host.extension<Table>(id);
  }
};

/// A call in progress for as long as it lives.
struct TestCall {
  explicit TestCall(const ServicesRig& rig, const std::string& credentials = "{}", const std::string& entry = "{}")
      : context(callFor("", entry)) {
    context.credentials = SecretString(credentials);
    context.cancelled = &cancelled;
    frame = std::make_unique<CallFrame>(rig.services, context);
  }
  const vcp_call_t* raw() const { return frame->raw(); }
  vcp::plugin::Call call() const { return vcp::plugin::Call(frame->raw()); }

  std::atomic<bool> cancelled{false};
  CallContext context;
  std::unique_ptr<CallFrame> frame;
};

/// A sink that takes nothing and says so.
inline vcp_text_sink_t fullSink() {
  vcp_text_sink_t sink{};
  sink.struct_size = sizeof sink;
  sink.write = [](const vcp_text_sink_t*, vcp_string_t) -> std::int32_t { return VCP_OUT_OF_RANGE; };
  return sink;
}

/// A sink that breaks the contract.
inline vcp_text_sink_t throwingSink() {
  vcp_text_sink_t sink{};
  sink.struct_size = sizeof sink;
  sink.write = [](const vcp_text_sink_t*, vcp_string_t) -> std::int32_t { throw 7; };
  return sink;
}

}  // namespace vcc::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "vcp/plugin/cpp/driver.h"
#include "vcp/plugin/ext/draft/spot.h"

/// The draft extension "draft.vcp.spot/1" for drivers in C++.
namespace vcp::plugin {

enum class SpotAction : std::int32_t {
  kUnspecified = VCP_SPOT_UNSPECIFIED,
  kNone = VCP_SPOT_NONE,
  kStop = VCP_SPOT_STOP,
  kTerminate = VCP_SPOT_TERMINATE,
};

/// The fields are those of vcp_spot_notice_t.
struct SpotNotice {
  SpotAction action = SpotAction::kNone;
  std::int64_t at_wall_ms = 0;
  std::string detail;
};

/// Where spotNotices reports (vcp_spot_sink_t).
class SpotNotices {
 public:
  explicit SpotNotices(const vcp_spot_sink_t* sink) noexcept : sink_(sink) {}

  void notice(const Item& item, const SpotNotice& what) {
    const vcp_spot_notice_t raw{sizeof raw, static_cast<std::int32_t>(what.action), item.index, what.at_wall_ms,
                                borrow(what.detail)};
    sink_->notice(sink_, &raw);
  }
  void error(const Item& item, const Error& error) { detail::reportError(sink_, item, Outcome::kNotApplied, error); }
  /// Runs `look` for one item; an exception becomes that item's error. `look` must give a notice or throw.
  template <class Look>
  void guard(const Item& item, Look&& look) {
    detail::guardItem(sink_, item, Outcome::kNotApplied, look);
  }

 private:
  const vcp_spot_sink_t* sink_;
};

/// Derive from it besides Driver when the cloud announces that it takes machines back: offers VCP_SPOT_ID. The contract
/// is that of vcp_spot_ops_t.notices.
class Spot {
 public:
  virtual ~Spot() = default;
  virtual void spotNotices(const Call& call, const Items& items, SpotNotices& out) = 0;
};

namespace detail {

/// The C table of a driver class with spot machines. Every function goes through the barrier.
template <class D>
struct SpotTable {
  static std::int32_t notices(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* raw,
                              std::uint64_t count, const vcp_spot_sink_t* sink, vcp_error_t* error) noexcept {
    return barrier(Outcome::kNotApplied, error, [&] {
      SpotNotices out(sink);
      static_cast<Spot&>(*reinterpret_cast<D*>(driver)).spotNotices(Call(call), itemsOf(raw, count), out);
    });
  }

  static constexpr vcp_spot_ops_t kOps{sizeof(vcp_spot_ops_t), 0, &notices};
};

}  // namespace detail
}  // namespace vcp::plugin

// SPDX-License-Identifier: Apache-2.0
#include "plugin_host/interposers/metrics.h"

#include <algorithm>
#include <utility>

namespace vcc {

void DriverMetrics::ended(DriverCall call, Code code, std::size_t items, std::int64_t took_ms) {
  const auto index = static_cast<std::size_t>(code);
  Cell& cell = cells_[indexOf(call)][index < kCodes ? index : static_cast<std::size_t>(Code::kUnknown)];
  const auto bucket = std::lower_bound(kDurationBucketsMs.begin(), kDurationBucketsMs.end(), took_ms);
  cell.by_duration[static_cast<std::size_t>(bucket - kDurationBucketsMs.begin())].fetch_add(1,
                                                                                            std::memory_order_relaxed);
  cell.items.fetch_add(items, std::memory_order_relaxed);
  cell.total_ms.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(took_ms, 0)), std::memory_order_relaxed);
  in_flight_[indexOf(call)].fetch_sub(1, std::memory_order_relaxed);
}

std::vector<CallTotals> DriverMetrics::totals() const {
  std::vector<CallTotals> all;
  for (std::size_t call = 0; call < kDriverCalls; ++call) {
    for (std::size_t code = 0; code < kCodes; ++code) {
      const Cell& cell = cells_[call][code];
      CallTotals totals;
      totals.call = static_cast<DriverCall>(call);
      totals.code = static_cast<Code>(code);
      for (std::size_t i = 0; i < cell.by_duration.size(); ++i) {
        totals.by_duration[i] = cell.by_duration[i].load(std::memory_order_relaxed);
        totals.calls += totals.by_duration[i];
      }
      totals.items = cell.items.load(std::memory_order_relaxed);
      totals.total_ms = cell.total_ms.load(std::memory_order_relaxed);
      if (totals.calls > 0) all.push_back(totals);
    }
  }
  return all;
}

DriverAnswer MetricsDriver::intercept(const DriverRequest& request) {
  metrics_->began(request.call);
  const std::int64_t began = clock_.monoMs();
  DriverAnswer answer = passOn(request);
  metrics_->ended(request.call, answer.firstError().code(), request.size(), clock_.monoMs() - began);
  return answer;
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/vcp/render.h"
#include "base/mutex.h"

namespace vcc {

/// VCs as text, kept until their record has another version (architecture 28), or a driver was loaded whose absence
/// kept `info` masked; then what still holds of a text goes into the next. Bounded by bytes; the one used longest ago
/// goes first. Thread safe.
class RenderCache {
 public:
  explicit RenderCache(std::size_t limit_bytes = std::size_t{32} << 20U) : limit_bytes_(limit_bytes) {}

  /// The text of `vc` as `tx` sees it: both must come from the same read. One thread makes it; others that ask
  /// meanwhile wait for it.
  std::shared_ptr<const RenderedVc> get(const ReadTx& tx, const Vc& vc, const RenderContext& context);
  /// The same if it is at hand, else null.
  std::shared_ptr<const RenderedVc> find(const Vc& vc, const RenderContext& context);

 private:
  struct Entry {
    std::string vcid;
    std::shared_ptr<const RenderedVc> text;
  };
  std::shared_ptr<const RenderedVc> latest(const std::string& vcid);
  void insert(const std::string& vcid, std::shared_ptr<const RenderedVc> text);

  const std::size_t limit_bytes_;
  std::array<Mutex, 32> turns_;  // to render: one for the VCs of the same hash; before `mutex_`
  Mutex mutex_;
  std::list<Entry> entries_ VCC_GUARDED_BY(mutex_);  // used last first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_ VCC_GUARDED_BY(mutex_);
  std::size_t bytes_ VCC_GUARDED_BY(mutex_) = 0;
};

}  // namespace vcc

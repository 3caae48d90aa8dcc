// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/render_cache.h"

#include <algorithm>
#include <functional>

namespace vcc {
namespace {

/// The record is the same, and no driver came since that could show more of `info`.
bool isFresh(const RenderedVc& text, const Vc& vc, const DriverRegistry& drivers) {
  return text.version == vc.version && std::none_of(text.units.begin(), text.units.end(), [&](const auto& named) {
           const RenderedUnit& unit = named.second;
           return unit.driver == nullptr && driverOf(drivers, unit.unit->instance) != nullptr;
         });
}

}  // namespace

std::shared_ptr<const RenderedVc> RenderCache::find(const Vc& vc, const RenderContext& context) {
  const MutexLock lock(mutex_);
  const auto found = index_.find(vc.vcid);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return isFresh(*found->second->text, vc, context.drivers) ? found->second->text : nullptr;
}

std::shared_ptr<const RenderedVc> RenderCache::get(const ReadTx& tx, const Vc& vc, const RenderContext& context) {
  if (auto found = find(vc, context)) return found;
  const MutexLock turn(turns_[std::hash<std::string>()(vc.vcid) % turns_.size()]);
  if (auto found = find(vc, context)) return found;
  const auto before = latest(vc.vcid);  // held to the end: it is not taken apart under the lock of the cache
  auto text = std::make_shared<const RenderedVc>(renderVc(tx, vc, context, before.get()));
  insert(vc.vcid, text);
  return text;
}

std::shared_ptr<const RenderedVc> RenderCache::latest(const std::string& vcid) {
  const MutexLock lock(mutex_);
  const auto found = index_.find(vcid);
  return found == index_.end() ? nullptr : found->second->text;
}

void RenderCache::insert(const std::string& vcid, std::shared_ptr<const RenderedVc> text) {
  const MutexLock lock(mutex_);
  if (const auto found = index_.find(vcid); found != index_.end()) {
    bytes_ -= found->second->text->bytes();
    entries_.erase(found->second);
    index_.erase(found);
  }
  bytes_ += text->bytes();
  entries_.push_front({vcid, std::move(text)});
  index_[vcid] = entries_.begin();
  while (bytes_ > limit_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().text->bytes();
    index_.erase(entries_.back().vcid);
    entries_.pop_back();
  }
}

}  // namespace vcc

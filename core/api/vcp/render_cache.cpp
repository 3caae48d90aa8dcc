// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/render_cache.h"

#include <algorithm>

namespace vcc {
namespace {

/// The record is the same, and no driver came since that could show more of `info`.
bool isFresh(const RenderedVc& text, const Vc& vc, const DriverRegistry& drivers) {
  const auto came = [&](const std::string& instance) { return driverOf(drivers, instance) != nullptr; };
  return text.version == vc.version && std::none_of(text.absent_drivers.begin(), text.absent_drivers.end(), came);
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
  auto text = std::make_shared<const RenderedVc>(renderVc(tx, vc, context));
  insert(vc.vcid, text);
  return text;
}

void RenderCache::insert(const std::string& vcid, std::shared_ptr<const RenderedVc> text) {
  const MutexLock lock(mutex_);
  if (const auto found = index_.find(vcid); found != index_.end()) {
    bytes_ -= found->second->text->json.size();
    entries_.erase(found->second);
    index_.erase(found);
  }
  bytes_ += text->json.size();
  entries_.push_front({vcid, std::move(text)});
  index_[vcid] = entries_.begin();
  while (bytes_ > limit_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().text->json.size();
    index_.erase(entries_.back().vcid);
    entries_.pop_back();
  }
}

}  // namespace vcc

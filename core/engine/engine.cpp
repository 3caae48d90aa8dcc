// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <atomic>

#include "engine/decider.h"

namespace vcc {

/// The deciding thread around the Decider.
class Engine::Impl {
 public:
  Impl(Seams seams, EngineOptions options) : decider_(std::move(seams), std::move(options)) {}
  ~Impl() { stop(); }

  Status start() {
    VCC_RETURN_IF_ERROR(decider_.takeOver());
    thread_ = Thread("engine", [this] {
      while (!stopping_) decider_.waitForWork(decider_.pump());
    });
    return okStatus();
  }

  void stop() {
    stopping_ = true;
    decider_.interrupt();
    thread_.join();
    decider_.stop();
  }

  Decider decider_;

 private:
  std::atomic<bool> stopping_{false};
  Thread thread_;
};

Engine::Engine(Seams seams, EngineOptions options)
    : impl_(std::make_unique<Impl>(std::move(seams), std::move(options))) {}
Engine::~Engine() = default;

Status Engine::start() { return impl_->start(); }
void Engine::stop() { impl_->stop(); }
void Engine::wake(const std::vector<std::string>& ids) { impl_->decider_.wake(ids); }
void Engine::sweepNow() { impl_->decider_.sweepNow(); }
void Engine::visitStray(const std::string& stray_id) { impl_->decider_.visitStray(stray_id); }
Result<std::string> Engine::startCheck(const std::string& vcid) { return impl_->decider_.startCheck(vcid); }
Result<CheckResult> Engine::checkReport(const std::string& id) { return impl_->decider_.checkReport(id); }
void Engine::look(const std::vector<std::string>& node_ids) { impl_->decider_.lookAt(node_ids); }
void Engine::hearOfMembers(std::vector<SerfMember> members) { impl_->decider_.hearOfMembers(std::move(members)); }
EngineStatus Engine::status() const { return impl_->decider_.status(); }
std::vector<Condition> Engine::conditions() const { return impl_->decider_.conditions(); }

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include "sim/controller.h"

#include <utility>

namespace vcc::sim {

std::vector<const DriverSlot*> Controller::Slots::slots() const {
  std::vector<const DriverSlot*> out;
  for (const DriverSlot& slot : all) out.push_back(&slot);
  return out;
}

const DriverSlot* Controller::Slots::byInstance(std::string_view instance) const {
  for (const DriverSlot& slot : all) {
    if (slot.instance == instance) return &slot;
  }
  return nullptr;
}

Controller::Controller(const ControllerSeams& seams, std::string name)
    : seams_(seams), life_(std::make_shared<Life>(std::move(name))), log_(seams.witness, life_) {
  const auto make_executor = [this](const std::string&, std::size_t threads) { return makeExecutor(threads); };
  seams_.shelf.seams = {&seams_.clock, &seams_.random, &log_, &seams_.http, make_executor};
  for (const CloudSpec& cloud : seams_.clouds) drivers_.all.push_back(seams_.shelf.open(cloud));
  const auto catalog = [present = seams_.catalog] { return present; };
  decider_ = std::make_unique<Decider>(
      Engine::Seams{seams_.store, drivers_, seams_.host, seams_.host, seams_.clock, seams_.random, log_, seams_.sealer,
                    catalog, [](const std::string&) { return std::string("192.168.0.1"); }, make_executor},
      seams_.options);
  commands_ = std::make_unique<Commands>(CommandSeams{
      .store = seams_.store,
      .drivers = drivers_,
      .catalog = catalog,
      .random = seams_.random,
      .log = log_,
      .sealer = seams_.sealer,
      .limits = {},
      .evaluation = true,
      .own_addresses = {},
      .wake = [this](const std::vector<std::string>& ids) { decider_->wake(ids); },
  });
}

Controller::~Controller() = default;

std::unique_ptr<Executor> Controller::makeExecutor(std::size_t threads) {
  return std::make_unique<SimExecutor>(seams_.scheduler, life_, threads);
}

Status Controller::takeOver() {
  const Status status = decider_->takeOver();
  touch();
  return status;
}

void Controller::touch() {
  if (touched_ || stopping_ || life_->dead) return;
  touched_ = true;
  seams_.scheduler.at(seams_.scheduler.now(), life_, [this] { pump(); });
}

void Controller::pump() {
  touched_ = false;
  if (stopping_) return;
  const std::int64_t pause = decider_->pump();
  pumpAt(seams_.scheduler.now() + std::max<std::int64_t>(pause, 1));
}

void Controller::pumpAt(std::int64_t at_ms) {
  const std::uint64_t mine = ++alarm_;
  seams_.scheduler.at(at_ms, life_, [this, mine] {
    if (mine == alarm_ && !touched_) pump();
  });
}

void Controller::serve(std::function<void(Commands&)> request) {
  ++serving_;
  seams_.scheduler.begin(
      life_, [this, request = std::move(request)] { request(*commands_); }, [this] { --serving_; });
}

void Controller::stop() {
  while (serving_ > 0) seams_.scheduler.step();
  stopping_ = true;
  decider_->stop();
  life_->dead = true;
}

void Controller::kill() {
  life_->dead = true;
  seams_.scheduler.drain(*life_);
  commands_.reset();
  decider_.reset();
  drivers_.all.clear();
}

}  // namespace vcc::sim

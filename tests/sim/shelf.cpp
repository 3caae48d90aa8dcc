// SPDX-License-Identifier: Apache-2.0
#include "sim/shelf.h"

#include <stdexcept>

namespace vcc::sim {

class Shelf::ClockOf final : public Clock {
 public:
  explicit ClockOf(const Shelf& shelf) : shelf_(shelf) {}
  std::int64_t wallMs() const override { return shelf_.seams.clock == nullptr ? 0 : shelf_.seams.clock->wallMs(); }
  std::int64_t monoMs() const override { return shelf_.seams.clock == nullptr ? 0 : shelf_.seams.clock->monoMs(); }

 private:
  const Shelf& shelf_;
};

class Shelf::RandomOf final : public Random {
 public:
  explicit RandomOf(const Shelf& shelf) : shelf_(shelf) {}
  void fill(std::span<std::uint8_t> out) override { shelf_.seams.random->fill(out); }

 private:
  const Shelf& shelf_;
};

class Shelf::LogOf final : public Logger {
 public:
  explicit LogOf(const Shelf& shelf) : shelf_(shelf) {}
  void write(Severity severity, std::string_view id, std::string_view text,
             std::initializer_list<LogField> fields) override {
    if (shelf_.log_of_current) shelf_.log_of_current().write(severity, id, text, fields);
  }

 private:
  const Shelf& shelf_;
};

class Shelf::HttpOf final : public HttpTransport {
 public:
  explicit HttpOf(const Shelf& shelf) : shelf_(shelf) {}
  Result<HttpResponse> send(const HttpRequest& request) override { return shelf_.seams.http->send(request); }

 private:
  const Shelf& shelf_;
};

Shelf::Shelf(const std::string& folder)
    : clock_(std::make_unique<ClockOf>(*this)),
      random_(std::make_unique<RandomOf>(*this)),
      log_(std::make_unique<LogOf>(*this)),
      http_(std::make_unique<HttpOf>(*this)) {
  PluginConfig config;
  config.plugin_dirs = {folder};
  config.evaluation = true;
  config.make_executor = [this](const std::string& name, std::size_t threads) {
    return seams.make_executor(name, threads);
  };
  loader_ = std::make_unique<InstanceLoader>(config, files_, *http_, HostEnvironment{*clock_, *random_, *log_});
}

Shelf::~Shelf() = default;

DriverSlot Shelf::open(const CloudSpec& spec) {
  ProviderConfig config;
  config.name = spec.name;
  config.plugin = spec.driver;
  config.origins = {spec.origin};
  const auto check = [&](const Status& status) {
    if (!status.ok()) throw std::runtime_error("driver of cloud " + spec.name + ": " + status.toString());
  };
  Refusals refusals(*log_, spec.name);
  auto known = mapped_.find(spec.name);
  if (known == mapped_.end()) {
    Mapped mapped;
    auto file = loader_->map(config, refusals, &mapped.slot);
    check(file.status());
    mapped.file = *file;
    known = mapped_.emplace(spec.name, std::move(mapped)).first;
  }
  DriverSlot slot = known->second.slot;
  slot.instance = spec.name;
  slot.providers = {spec.name};
  auto opened = loader_->open(config, config.origins, known->second.file, refusals);
  check(opened.status());
  slot.driver = loader_->interpose(std::move(opened->driver), config, &slot);
  return slot;
}

}  // namespace vcc::sim

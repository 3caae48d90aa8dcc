// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Util/ServerApplication.h>

#include <string>
#include <vector>

namespace vcc {

/// The `occtr` program: options, settings, log, signals.
class OcctrApp final : public Poco::Util::ServerApplication {
 public:
  using ServerApplication::run;

 protected:
  void initialize(Poco::Util::Application& self) override;
  void defineOptions(Poco::Util::OptionSet& options) override;
  void handleOption(const std::string& name, const std::string& value) override;
  int main(const std::vector<std::string>& arguments) override;

 private:
  int initData();
  int serve();
  int help();

  std::string config_file_;
  std::string init_dir_;
  bool evaluation_ = false;
  bool passphrase_ = false;
  bool help_ = false;
  bool version_ = false;
};

}  // namespace vcc

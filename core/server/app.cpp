// SPDX-License-Identifier: Apache-2.0
#include "server/app.h"

#include <Poco/ErrorHandler.h>
#include <Poco/Util/HelpFormatter.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "base/executor.h"
#include "base/version.h"
#include "server/data_folder.h"
#include "server/passphrase.h"
#include "server/process.h"
#include "server/settings.h"
#include "server/wiring.h"
#include "store/open_store.h"

namespace vcc {
namespace {

constexpr std::size_t kMaxConfigBytes = 1U << 20U;
constexpr unsigned kStopSeconds = 60;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int fail(const Status& status) {
  std::cerr << "occtr: " << status.message() << '\n';
  return kFailed;
}

/// A path as seen from here, since the program may be started in any folder.
std::string absolute(const std::string& path) {
  std::string text = std::filesystem::absolute(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

/// What escapes from a thread of Poco's ends in the log instead of nowhere.
class LastNet final : public Poco::ErrorHandler {
 public:
  explicit LastNet(Logger& log) : log_(log), before_(Poco::ErrorHandler::set(this)) {}
  ~LastNet() override { Poco::ErrorHandler::set(before_); }
  LastNet(const LastNet&) = delete;
  LastNet& operator=(const LastNet&) = delete;

  void exception(const Poco::Exception& e) override { report(e.displayText()); }
  void exception(const std::exception& e) override { report(e.what()); }
  void exception() override { report("an object that is no exception"); }

 private:
  void report(const std::string& what) { log_.error("THREAD_EXCEPTION", "a thread ended with an exception: " + what); }

  Logger& log_;
  Poco::ErrorHandler* before_;
};

/// The log file, or stderr. Closed at the end.
class LogSink {
 public:
  Status open(const std::string& file) {
    if (file.empty()) return okStatus();
    fd_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ >= 0) return okStatus();
    return failedPrecondition(
        fmt::format("log_file {}: cannot be opened: {}; make its folder, or leave the key empty to "
                    "log to stderr",
                    file, std::generic_category().message(errno)));
  }
  ~LogSink() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_ >= 0 ? fd_ : STDERR_FILENO; }

 private:
  int fd_ = -1;
};

}  // namespace

void OcctrApp::initialize(Poco::Util::Application& self) {
  prepareProcess();
  ServerApplication::initialize(self);
}

void OcctrApp::defineOptions(Poco::Util::OptionSet& options) {
  using Poco::Util::Option;
  // Not ServerApplication's: a controller is supervised by systemd, a container or scripts, none of which wants a fork.
  Application::defineOptions(options);  // NOLINT(bugprone-parent-virtual-call)
  options.addOption(Option("help", "h", "show this text"));
  options.addOption(Option("version", "v", "show the version"));
  options.addOption(Option("config", "c", "serve, with the settings of FILE").argument("FILE"));
  options.addOption(
      Option("passphrase", "", "with --config: the master key comes from a pass phrase on standard input"));
  options.addOption(Option("init-data", "", "make the data folder DIR and end").argument("DIR"));
  options.addOption(Option("evaluation", "", "with --init-data: an evaluation folder, for ever"));
}

void OcctrApp::handleOption(const std::string& name, const std::string& value) {
  Application::handleOption(name, value);
  if (name == "help") help_ = true;
  if (name == "version") version_ = true;
  if (name == "config") config_file_ = absolute(value);
  if (name == "init-data") init_dir_ = absolute(value);
  if (name == "evaluation") evaluation_ = true;
  if (name == "passphrase") passphrase_ = true;
  if (name == "help" || name == "version") stopOptionsProcessing();
}

int OcctrApp::help() {
  Poco::Util::HelpFormatter formatter(options());
  formatter.setCommand("occtr");
  formatter.setUsage("--config FILE [--passphrase] | --init-data DIR [--evaluation]");
  formatter.setHeader("The VC Controller: creates and runs clusters of machines on many clouds.");
  formatter.setFooter(
      "Settings: config/occtr.yml; environment variables VCC_<KEY> win over the file. "
      "Administer a running controller with `vcc`.");
  formatter.format(std::cout);
  return EXIT_OK;
}

int OcctrApp::initData() {
  const SystemClock clock;
  SystemRandom random;
  PosixFileSystem files;
  FdLogger log(STDERR_FILENO, Severity::kWarning);
  const DataPaths paths(init_dir_);
  if (const Status opened = openDataFolder(files, paths.dir); !opened.ok()) return fail(opened);
  const auto lock = lockDataFolder(files, paths);
  if (!lock.ok()) return fail(lock.status());
  ThreadPool writer("store", 1);
  const auto store = openStore(paths.dir, files, clock, writer, log);
  if (!store.ok()) return fail(store.status());
  const Result<Stamp> stamp = stampFolder(**store, random, paths.dir, evaluation_, true);
  if (!stamp.ok()) return fail(stamp.status());
  std::cout << fmt::format("{} is {} folder of controller {}{}\n", paths.dir,
                           stamp->evaluation ? "an evaluation" : "a production", stamp->vcc_id,
                           stamp->fresh ? "" : " (as before)");
  return EXIT_OK;
}

int OcctrApp::serve() {
  const SystemClock clock;
  SystemRandom random;
  PosixFileSystem files;
  const Result<std::string> yaml = files.read(config_file_, kMaxConfigBytes);
  if (!yaml.ok()) return fail(yaml.status());
  Result<Settings> settings = readSettings(config_file_, *yaml, processEnvironment);
  if (!settings.ok()) return fail(settings.status());
  if (passphrase_) {
    Result<SecretString> phrase = readPassphrase();
    if (!phrase.ok()) return fail(phrase.status());
    settings->passphrase = *std::move(phrase);
  }
  LogSink sink;
  if (const Status opened = sink.open(settings->log_file); !opened.ok()) return fail(opened);
  FdLogger log(sink.fd(), settings->log_level);
  const LastNet net(log);

  auto controller = Controller::start(*settings, {clock, random, files, log});
  if (!controller.ok()) {
    log.error("OCCTR_START_FAILED", controller.status().message());
    return settings->log_file.empty() ? kFailed : fail(controller.status());
  }
  while (waitForSignal() == Signal::kReload) (*controller)->reload();
  limitStop(kStopSeconds);
  if (!(*controller)->stop()) ::_exit(EXIT_OK);
  return EXIT_OK;
}

int OcctrApp::main(const std::vector<std::string>& arguments) {
  if (help_) return help();
  if (version_) {
    std::cout << "occtr " << kVersion << " (" << kGitTag << ")\n";
    return EXIT_OK;
  }
  const bool both = !config_file_.empty() && !init_dir_.empty();
  if (!arguments.empty() || both || (config_file_.empty() && init_dir_.empty())) {
    std::cerr << "occtr: say either --config FILE or --init-data DIR; --help tells more\n";
    return kUsage;
  }
  if (init_dir_.empty()) return serve();
  return initData();
}

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "abi_checks.h"
#include "case_file.h"
#include "live.h"
#include "plugin.h"
#include "report.h"
#include "suite.h"
#include "vcp/plugin/cpp/json.h"

namespace vcp::check {
namespace {

constexpr char kUsage[] =
    "usage: vcp-plugin-check describe FILE [--case CASE.json] [--option KEY=VALUE]... [--json]\n"
    "       vcp-plugin-check abi FILE [--case CASE.json] [--option KEY=VALUE]... [--json]\n"
    "       vcp-plugin-check conformance FILE --case CASE.json [--cloud FAKE.so | --live] [--only NAME]\n"
    "                        [--seed N] [--option KEY=VALUE]... [--json]\n"
    "\n"
    "Checks a driver of the VC Controller (ABI " VCP_ABI_VERSION
    ").\n"
    "  describe     what the plugin says of itself, and its schema\n"
    "  abi          the form of the file: symbols, tables, descriptor, schema\n"
    "  conformance  what the header asks of a driver, call by call\n"
    "\n"
    "  --case       JSON: what to create with which credentials; of it, describe and abi read the options\n"
    "  --cloud      a simulated cloud, see vcp/plugin/testing/fake_cloud.h\n"
    "  --live       against the real cloud of the case file; this costs money\n"
    "  --only       a check, or a group of checks such as create\n"
    "  --seed       of names and random bytes (default 1)\n"
    "  --option     adds to options of open_driver\n"
    "\n"
    "Exit code: 0 all passed, 1 a check failed, 2 the command is wrong.\n";

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Arguments {
  std::string command;
  std::string file;
  std::string case_file;
  std::string cloud;
  std::string only;
  std::vector<std::string> options;
  std::uint64_t seed = 1;
  bool live = false;
  bool json = false;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments out;
  std::vector<std::string> plain;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 >= words.size()) throw Usage(word + " needs a value");
      return words[++i];
    };
    if (word == "--case") {
      out.case_file = value();
    } else if (word == "--cloud") {
      out.cloud = value();
    } else if (word == "--only") {
      out.only = value();
    } else if (word == "--option") {
      out.options.push_back(value());
    } else if (word == "--seed") {
      const std::string& text = value();
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out.seed);
      if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
        throw Usage("--seed needs a whole number");
    } else if (word == "--live") {
      out.live = true;
    } else if (word == "--json") {
      out.json = true;
    } else if (word.rfind("--", 0) == 0) {
      throw Usage("unknown option " + word);
    } else {
      plain.push_back(word);
    }
  }
  if (plain.size() != 2) throw Usage("give a command and a file");
  out.command = plain[0];
  out.file = plain[1];
  const bool conformance = out.command == "conformance";
  if (out.command != "describe" && out.command != "abi" && !conformance) throw Usage("unknown command " + out.command);
  if (!conformance && (!out.cloud.empty() || !out.only.empty() || out.live)) {
    throw Usage("--cloud, --live and --only belong to conformance");
  }
  if (conformance && out.case_file.empty()) throw Usage("conformance needs --case");
  if (out.live && !out.cloud.empty()) throw Usage("--live and --cloud exclude each other");
  if (out.live && !hasLiveHost())
    throw Usage("--live needs the vcp-plugin-check of the product; this one was built with the SDK alone");
  for (const std::string& file : {out.file, out.case_file, out.cloud}) {
    if (!file.empty() && !std::filesystem::is_regular_file(file)) throw Usage(file + ": no such file");
  }
  return out;
}

Case caseOf(const Arguments& arguments) {
  try {
    return readCase(arguments.case_file, arguments.options);
  } catch (const std::exception& e) {
    throw Usage(e.what());
  }
}

std::string optionsOf(const Arguments& arguments) {
  if (!arguments.case_file.empty()) return caseOf(arguments).options;
  plugin::Json options = plugin::Json::object();
  for (const std::string& setting : arguments.options) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) throw Usage("--option " + setting + ": must be KEY=VALUE");
    options[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return options.dump();
}

Setup setupOf(const Arguments& arguments) {
  Setup setup;
  setup.plugin_path = arguments.file;
  setup.cloud_path = arguments.cloud;
  setup.live = arguments.live;
  setup.seed = arguments.seed;
  setup.of = caseOf(arguments);
  return setup;
}

int run(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    }
  }
  const Arguments arguments = parse(words);
  Report report(arguments.command, arguments.file);
  if (arguments.command == "describe") {
    describePlugin(arguments.file, optionsOf(arguments), &report);
  } else if (arguments.command == "abi") {
    runAbiChecks(arguments.file, optionsOf(arguments), &report);
  } else if (!runConformance(setupOf(arguments), arguments.only, &report)) {
    throw Usage("--only " + arguments.only + ": there is no such check");
  }
  arguments.json ? report.printJson(stdout) : report.printText(stdout);
  return report.exitCode();
}

}  // namespace
}  // namespace vcp::check

int main(int argc, char** argv) {
  try {
    return vcp::check::run({argv + 1, argv + argc});
  } catch (const vcp::check::Usage& e) {
    std::fprintf(stderr, "vcp-plugin-check: %s\n\n%s", e.what(), vcp::check::kUsage);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vcp-plugin-check: %s\n", e.what());
  }
  return 2;
}

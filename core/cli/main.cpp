// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "base/version.h"
#include "cli/commands.h"
#include "cli/table.h"

namespace vcc::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr char kDefaultSocket[] = "/opt/occ/var/run/admin/admin.sock";

std::string nameOf(const Command& command) {
  std::string name = "vcc";
  for (const std::string_view word : command.words) name.append(" ").append(word);
  return name;
}

void printHelp() {
  std::cout << "usage: vcc [--socket PATH] COMMAND ...\n\nAdministers the VC Controller on this machine.\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const Command& command : commands()) {
    rows.push_back({"  " + nameOf(command) + " " + std::string(command.operands), std::string(command.help)});
  }
  std::cout << formatTable(rows)
            << "\n`vcc COMMAND --help` tells more about one.\nThe socket: --socket, else VCC_ADMIN_SOCKET, else "
            << kDefaultSocket << "\nExit status: 0 done, 1 refused or failed, 2 wrong use.\n";
}

void printHelp(const Command& command) {
  std::cout << "usage: " << nameOf(command) << (command.options.empty() ? "" : " [options]")
            << (command.operands.empty() ? "" : " ") << command.operands << "\n\n"
            << command.help << "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const OptionSpec& option : command.options) {
    std::string left = "  ";
    if (!option.short_name.empty()) left.append(option.short_name).append(", ");
    left.append(option.name).append(option.value.empty() ? "" : " ").append(option.value);
    rows.push_back({left, std::string(option.help)});
  }
  rows.push_back({"  --socket PATH", "the controller's admin socket"});
  std::cout << formatTable(rows);
}

int wrongUse(const std::string& what, const std::string& help) {
  std::cerr << "vcc: " << printable(what) << "; `" << help << " --help` tells more\n";
  return kUsage;
}

/// Takes the options that every command knows out of `words`, wherever they stand. The end of `words` is a usage error.
struct Common {
  std::string socket;
  bool help = false;
  bool version = false;
  bool wrong = false;
};

Common takeCommon(std::vector<std::string>& words) {
  Common common;
  const char* given = std::getenv("VCC_ADMIN_SOCKET");
  common.socket = given != nullptr && *given != '\0' ? given : kDefaultSocket;
  for (std::size_t i = 0; i < words.size() && words[i] != "--";) {
    std::size_t used = 1;
    if (words[i] == "--help" || words[i] == "-h") {
      common.help = true;
    } else if (words[i] == "--version") {
      common.version = true;
    } else if (words[i] == "--socket") {
      if (i + 1 >= words.size()) {
        common.wrong = true;
        return common;
      }
      common.socket = words[i + 1];
      used = 2;
    } else if (words[i].rfind("--socket=", 0) == 0) {
      common.socket = words[i].substr(9);
    } else {
      ++i;
      continue;
    }
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(i);
    words.erase(begin, begin + static_cast<std::ptrdiff_t>(used));
  }
  return common;
}

const Command* findCommand(const std::vector<std::string>& words) {
  for (const Command& command : commands()) {
    if (words.size() >= command.words.size() && std::equal(command.words.begin(), command.words.end(), words.begin())) {
      return &command;
    }
  }
  return nullptr;
}

int run(std::vector<std::string> words) {
  const Common common = takeCommon(words);
  if (common.wrong) return wrongUse("--socket needs a value (PATH)", "vcc");
  if (common.version) {
    std::cout << "vcc " << kVersion << '\n';
    return 0;
  }
  const Command* command = findCommand(words);
  if (command == nullptr) {
    if (!words.empty() && !common.help) return wrongUse("there is no command " + words.front(), "vcc");
    printHelp();
    return common.help ? 0 : kUsage;
  }
  if (common.help) {
    printHelp(*command);
    return 0;
  }
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(command->words.size()));
  const Result<Arguments> arguments = parseArguments(words, command->options);
  if (!arguments.ok()) return wrongUse(arguments.status().message(), nameOf(*command));
  const std::size_t given = arguments->positional.size();
  if (given > command->operand_count || given + command->optional < command->operand_count) {
    return wrongUse(
        "it takes " + std::to_string(command->operand_count) + " operand(s): " + std::string(command->operands),
        nameOf(*command));
  }
  const Status status = command->run(common.socket, *arguments);
  if (status.ok()) return std::cout.flush() ? 0 : kFailed;
  if (status.code() == Code::kInvalidArgument) return wrongUse(status.message(), nameOf(*command));
  std::cerr << "vcc: " << printable(status.message()) << '\n';
  if (status.code() == Code::kNotFound) return command->missing;
  const bool unasked = status.code() == Code::kUnavailable || status.code() == Code::kPermissionDenied;
  return unasked ? command->unasked : kFailed;
}

}  // namespace
}  // namespace vcc::cli

int main(int argc, char** argv) {
  try {
    return vcc::cli::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::cerr << "vcc: " << e.what() << '\n';
    return 1;
  }
}

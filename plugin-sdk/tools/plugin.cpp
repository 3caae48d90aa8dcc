// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "report.h"

namespace vcp::check {
namespace {

constexpr std::array<const char*, 17> kCodes{
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};
constexpr std::array<const char*, 4> kOutcomes{"outcome unspecified", "NOT_APPLIED", "APPLIED", "outcome UNKNOWN"};

/// Length of the character at the start of `text`; 0 when it is none.
std::size_t characterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F;
  return overlong || surrogate || (first == 0xF4 && byte(1) > 0x8F) ? 0 : length;
}

}  // namespace

void* openLibrary(const std::string& path, std::string* why) {
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* text = ::dlerror();
    *why = text == nullptr ? "unknown" : text;
  }
  return library;
}

const vcp_plugin_entry_t& openPlugin(const std::string& path) {
  constexpr char kExpected[] = "a plugin that passes `vcp-plugin-check abi`";
  std::string why;
  void* library = openLibrary(path, &why);
  if (library == nullptr) fail(kExpected, "it cannot be opened: " + why);
  const auto* entry = static_cast<const vcp_plugin_entry_t*>(::dlsym(library, VCP_PLUGIN_SYMBOL));
  if (entry == nullptr) fail(kExpected, "it has no symbol " VCP_PLUGIN_SYMBOL);
  if (entry->magic != VCP_PLUGIN_MAGIC || !VCP_HAS(vcp_plugin_entry_t, entry, open_driver) ||
      entry->abi_major != VCP_ABI_MAJOR || entry->abi_minor != VCP_ABI_MINOR) {
    fail(kExpected, "its entry has another magic, version or size");
  }
  if (entry->info == nullptr || !VCP_HAS(vcp_plugin_info_t, entry->info, settle_ms) || entry->open_driver == nullptr) {
    fail(kExpected, "its entry lacks the descriptor or open_driver");
  }
  return *entry;
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = characterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string codeName(int code) {
  return code >= 0 && code < static_cast<int>(kCodes.size()) ? kCodes[static_cast<std::size_t>(code)]
                                                             : "code " + std::to_string(code);
}

std::string outcomeName(int outcome) {
  return outcome >= 0 && outcome < static_cast<int>(kOutcomes.size()) ? kOutcomes[static_cast<std::size_t>(outcome)]
                                                                      : "outcome " + std::to_string(outcome);
}

std::string toText(const vcp_error_t& error) {
  return codeName(error.code) + ", " + outcomeName(error.outcome) + ": " +
         std::string(error.message, ::strnlen(error.message, sizeof error.message));
}

}  // namespace vcp::check

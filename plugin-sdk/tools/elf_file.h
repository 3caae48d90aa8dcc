// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace vcp::check {

/// What the dynamic section of a 64-bit ELF shared object says, read without loading it.
struct ElfFile {
  std::vector<std::string> exported;
  std::vector<std::string> needed;
  bool is_nodelete = false;
};

/// Throws Failed when the file cannot be read or is no such object.
ElfFile readElf(const std::string& path);

}  // namespace vcp::check

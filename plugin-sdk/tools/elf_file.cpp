// SPDX-License-Identifier: Apache-2.0
#include "elf_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include "report.h"

namespace vcp::check {
namespace {

constexpr char kExpected[] = "a 64-bit little-endian ELF shared object with a section table";

/// The bytes of the file; every read is checked against their end.
class Image {
 public:
  explicit Image(std::string bytes) : bytes_(std::move(bytes)) {}

  template <class T>
  T at(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T))
      fail(kExpected, "a table beyond the end of the file");
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  std::string text(const Elf64_Shdr& strings, std::uint64_t offset) const {
    const std::string_view all(bytes_);
    if (strings.sh_offset > all.size() || strings.sh_size > all.size() - strings.sh_offset ||
        offset >= strings.sh_size) {
      fail(kExpected, "a name beyond the end of its table");
    }
    const std::string_view from = all.substr(strings.sh_offset + offset, strings.sh_size - offset);
    return std::string(from.substr(0, from.find('\0')));
  }

 private:
  const std::string bytes_;
};

bool isExported(const Elf64_Sym& symbol) {
  const unsigned bind = ELF64_ST_BIND(symbol.st_info);
  const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_name != 0 && bind != STB_LOCAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

void readSymbols(const Image& image, const Elf64_Shdr& table, const Elf64_Shdr& strings, ElfFile* out) {
  for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
    const auto symbol = image.at<Elf64_Sym>(table.sh_offset + at);
    if (isExported(symbol)) out->exported.push_back(image.text(strings, symbol.st_name));
  }
}

void readDynamic(const Image& image, const Elf64_Shdr& table, const Elf64_Shdr& strings, ElfFile* out) {
  for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= table.sh_size; at += sizeof(Elf64_Dyn)) {
    const auto entry = image.at<Elf64_Dyn>(table.sh_offset + at);
    if (entry.d_tag == DT_NEEDED) out->needed.push_back(image.text(strings, entry.d_un.d_val));
    if (entry.d_tag == DT_FLAGS_1) out->is_nodelete = (entry.d_un.d_val & DF_1_NODELETE) != 0;
  }
}

}  // namespace

ElfFile readElf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(kExpected, "the file cannot be opened");
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const Image image(bytes.str());
  const auto header = image.at<Elf64_Ehdr>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) fail(kExpected, "the file does not begin with the ELF magic");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_DYN) {
    fail(kExpected, "an ELF file of another kind");
  }
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) fail(kExpected, "no section table");
  const auto section = [&](std::uint64_t index) {
    return image.at<Elf64_Shdr>(header.e_shoff + index * sizeof(Elf64_Shdr));
  };
  ElfFile out;
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type == SHT_DYNSYM) readSymbols(image, table, section(table.sh_link), &out);
    if (table.sh_type == SHT_DYNAMIC) readDynamic(image, table, section(table.sh_link), &out);
  }
  std::sort(out.exported.begin(), out.exported.end());
  return out;
}

}  // namespace vcp::check

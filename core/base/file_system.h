// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vcc {

/// An exclusive lock on a file, released by the destructor (and by the kernel when the process dies).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// The few file operations the controller needs, as a seam. All block. Thread safe. Errors name the path and the cause.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// The whole file; kOutOfRange when it is larger than `limit` bytes.
  virtual Result<std::string> read(const std::string& path, std::size_t limit) = 0;
  /// Replaces `path`: temporary file beside it, fsync, rename, fsync of the folder. `mode` such as 0600.
  virtual Status writeAtomic(const std::string& path, std::string_view content, std::uint32_t mode) = 0;
  /// Makes the folder and its parents with `mode`; success when it exists.
  virtual Status makeDirs(const std::string& path, std::uint32_t mode) = 0;
  virtual bool exists(const std::string& path) = 0;
  /// Success also when it does not exist.
  virtual Status remove(const std::string& path) = 0;
  /// Names (not paths) of the entries of a folder, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  /// Takes an exclusive lock without waiting; kFailedPrecondition when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// The real one.
class PosixFileSystem final : public FileSystem {
 public:
  Result<std::string> read(const std::string& path, std::size_t limit) override;
  Status writeAtomic(const std::string& path, std::string_view content, std::uint32_t mode) override;
  Status makeDirs(const std::string& path, std::uint32_t mode) override;
  bool exists(const std::string& path) override;
  Status remove(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
};

}  // namespace vcc

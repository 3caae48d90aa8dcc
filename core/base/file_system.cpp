// SPDX-License-Identifier: Apache-2.0
#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace vcc {
namespace {

/// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status fileError(std::string_view attempt, const std::string& path, int error) {
  Code code = Code::kUnavailable;
  if (error == ENOENT) code = Code::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS) code = Code::kPermissionDenied;
  if (error == ENOSPC || error == EDQUOT) code = Code::kResourceExhausted;
  return {code, fmt::format("cannot {} {}: {}", attempt, path, std::generic_category().message(error))};
}

std::string parentOf(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status writeAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return fileError("write", path, errno);
    }
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return okStatus();
}

Status writeTemporary(const std::string& path, std::string_view content, std::uint32_t mode) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return fileError("create", path, errno);
  VCC_RETURN_IF_ERROR(writeAll(fd.get(), content, path));
  if (::fchmod(fd.get(), mode) != 0) return fileError("set the mode of", path, errno);
  if (::fsync(fd.get()) != 0) return fileError("sync", path, errno);
  return okStatus();
}

Status syncFolder(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fileError("open folder", path, errno);
  if (::fsync(fd.get()) != 0) return fileError("sync folder", path, errno);
  return okStatus();
}

/// flock belongs to the open file, so it also keeps out a second holder in this process, and the kernel drops it when
/// the process dies. The file stays: removing it would let two holders lock two files of one name.
class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Fd fd) : fd_(std::move(fd)) {}

 private:
  Fd fd_;
};

}  // namespace

Result<std::string> PosixFileSystem::read(const std::string& path, std::size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fileError("open", path, errno);
  std::string content;
  std::string buffer(16U << 10U, '\0');
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return fileError("read", path, errno);
    }
    if (count == 0) return content;
    if (content.size() + static_cast<std::size_t>(count) > limit) {
      return Status(Code::kOutOfRange, fmt::format("cannot read {}: it is larger than {} bytes", path, limit));
    }
    content.append(buffer, 0, static_cast<std::size_t>(count));
  }
}

Status PosixFileSystem::writeAtomic(const std::string& path, std::string_view content, std::uint32_t mode) {
  // Beside the target, since a rename does not leave a file system, and named after the thread, so that no other
  // living writer has it; one left by a crash is in nobody's use.
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::gettid());
  ::unlink(temporary.c_str());
  Status status = writeTemporary(temporary, content, mode);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = fileError("replace", path, errno);
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return syncFolder(parentOf(path));
}

Status PosixFileSystem::makeDirs(const std::string& path, std::uint32_t mode) {
  if (path.empty()) return invalidArgument("cannot make a folder: the path is empty");
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string prefix = path.substr(0, end);
    if (::mkdir(prefix.c_str(), mode) != 0 && errno != EEXIST) return fileError("make folder", prefix, errno);
    if (end == std::string::npos) break;
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fileError("make folder", path, errno);
  if (!S_ISDIR(info.st_mode)) return fileError("make folder", path, ENOTDIR);
  return okStatus();
}

bool PosixFileSystem::exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Status PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return okStatus();
  return fileError("remove", path, errno);
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) {
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) return fileError("list", path, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(folder);
  if (error != 0) return fileError("list", path, error);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return fileError("open lock file", path, errno);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return fileError("lock", path, errno);
    return failedPrecondition(fmt::format("cannot lock {}: another process holds it; stop that one first", path));
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(fd)));
}

}  // namespace vcc

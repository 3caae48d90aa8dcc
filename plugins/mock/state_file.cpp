// SPDX-License-Identifier: Apache-2.0
#include "state_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "vcp/plugin/cpp/error.h"

namespace mock {
namespace {

constexpr std::int64_t kMaxBytes = 256 << 20;
constexpr std::size_t kTailBytes = 64;

bool sameTime(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

/// 0, or the errno of the failure.
int writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

StateFile::~StateFile() {
  if (fd_ >= 0) ::close(fd_);
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

void StateFile::fail(const char* attempt, int error) const {
  using vcp::plugin::Code;
  throw vcp::plugin::Error(
      error == ENOSPC ? Code::kResourceExhausted : Code::kUnavailable, vcp::plugin::Outcome::kNotApplied,
      "mock state file " + path_ + ": cannot " + attempt + ": " + std::generic_category().message(error) +
          "; check the folder and catalog key mock_state_file");
}

bool StateFile::tryLock() {
  if (lock_fd_ < 0) {
    lock_fd_ = ::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_fd_ < 0) fail("open its lock file", errno);
  }
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK && errno != EINTR) fail("take its lock", errno);
  return false;
}

void StateFile::unlock() { ::flock(lock_fd_, LOCK_UN); }

/// Follows the path, which an editor or a compaction may have pointed to another file.
void StateFile::open() {
  struct stat at_path {};
  if (fd_ >= 0 && ::stat(path_.c_str(), &at_path) == 0 && at_path.st_ino == inode_ && at_path.st_dev == device_) return;
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) fail("open it", errno);
  struct stat opened {};
  if (::fstat(fd_, &opened) != 0) fail("look at it", errno);
  if (!S_ISREG(opened.st_mode)) fail("use it, it is not a regular file", EINVAL);
  inode_ = opened.st_ino;
  device_ = opened.st_dev;
  forget();
}

std::string StateFile::readFrom(std::int64_t offset, std::int64_t end) const {
  std::string bytes(static_cast<std::size_t>(end - offset), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::pread(fd_, bytes.data() + have, bytes.size() - have,
                                static_cast<off_t>(offset + static_cast<std::int64_t>(have)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read it", errno);
    if (got == 0) break;  // it shrank meanwhile; the next look sees that
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

void StateFile::remember(std::int64_t offset, std::string_view before) {
  offset_ = offset;
  tail_.append(before.substr(before.size() - std::min(before.size(), kTailBytes)));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
}

void StateFile::refresh(const std::function<void()>& reset, const std::function<void(std::string_view)>& line) {
  open();
  struct stat now {};
  if (::fstat(fd_, &now) != 0) fail("look at it", errno);
  if (now.st_size > kMaxBytes) fail("read it, it is larger than 256 MiB", EFBIG);
  const bool known = offset_ >= 0;
  if (known && now.st_size == size_ && sameTime(now.st_mtim, mtime_)) return;

  std::string fresh;
  bool grew = known && now.st_size > size_ && now.st_size > offset_;
  if (grew) {
    const auto tail_size = static_cast<std::int64_t>(tail_.size());
    fresh = readFrom(offset_ - tail_size, now.st_size);
    grew = fresh.compare(0, tail_.size(), tail_) == 0;
    if (grew) fresh.erase(0, tail_.size());
  }
  if (!grew) {
    reset();
    offset_ = 0;
    tail_.clear();
    fresh = readFrom(0, now.st_size);
  }
  size_ = now.st_size;
  mtime_ = now.st_mtim;

  std::size_t begin = 0;
  for (std::size_t end = fresh.find('\n'); end != std::string::npos; end = fresh.find('\n', begin)) {
    if (end > begin) line(std::string_view(fresh).substr(begin, end - begin));
    begin = end + 1;
  }
  remember(offset_ + static_cast<std::int64_t>(begin), std::string_view(fresh).substr(0, begin));
}

void StateFile::append(const std::string& lines) {
  const std::int64_t before = size_;
  // A torn last line gets its newline first, so that ours begins a line; as a line of its own it is skipped or, when
  // only the newline was missing, read at the next full look.
  const bool torn = size_ > offset_;
  const std::string bytes = torn ? "\n" + lines : lines;
  if (const int error = writeAll(fd_, bytes); error != 0) {
    if (::ftruncate(fd_, static_cast<off_t>(before)) != 0) forget();
    fail("write to it", error);
  }
  struct stat now {};
  const bool alone = ::fstat(fd_, &now) == 0 && now.st_size == before + static_cast<std::int64_t>(bytes.size());
  if (torn || !alone) return forget();
  size_ = now.st_size;
  mtime_ = now.st_mtim;
  remember(now.st_size, bytes);
}

void StateFile::replace(const std::string& content) {
  const std::string temporary = path_ + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail("write its successor", errno);
  int error = writeAll(fd, content);
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  ::close(fd);
  if (error == 0 && ::rename(temporary.c_str(), path_.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail("replace it", error);
  }
}

}  // namespace mock

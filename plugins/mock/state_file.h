// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>

namespace mock {

/// A file of lines that several processes append to and that anyone may edit. Reads only what is new, as long as the
/// file only grew; everything again after any other change.
///
/// Not thread safe. A line counts when its newline is there: a last line torn by a crash is ignored and, before the
/// next append, closed with a newline so that it harms nothing. Failures are thrown as vcp::plugin::Error, not applied.
class StateFile {
 public:
  explicit StateFile(std::string path) : path_(std::move(path)) {}
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  /// Takes the lock `<path>.lock` that keeps other processes away; false when somebody holds it. Never waits.
  bool tryLock();
  void unlock();

  /// With the lock: calls `line` for each line that was added since the last call; first `reset` when all lines come
  /// again. Cheap (one stat) when nothing changed.
  void refresh(const std::function<void()>& reset, const std::function<void(std::string_view)>& line);

  /// With the lock, after refresh: adds `lines` (each ended by a newline) with one write. They are not given to `line`
  /// later. After a failure the file is as before.
  void append(const std::string& lines);

  /// With the lock, after refresh: replaces the whole content, atomically.
  void replace(const std::string& content);

  /// The next refresh reads everything again.
  void forget() { offset_ = -1; }

 private:
  [[noreturn]] void fail(const char* attempt, int error) const;
  void open();
  std::string readFrom(std::int64_t offset, std::int64_t end) const;
  void remember(std::int64_t offset, std::string_view tail);

  const std::string path_;
  int fd_ = -1;
  int lock_fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::int64_t offset_ = -1;  // end of the last complete line read; -1 = nothing is known
  std::int64_t size_ = 0;     // of the file when it was last looked at
  timespec mtime_{};
  std::string tail_;  // the last bytes before offset_, to notice that the file was rewritten and grew
};

}  // namespace mock

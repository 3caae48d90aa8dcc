// SPDX-License-Identifier: Apache-2.0
#include "sim/sqlite_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace vcc::sim {
namespace {

constexpr std::size_t kSector = 512;

}  // namespace

/// SQLite's side: the functions of a virtual file system and of its files.
struct SqliteDisk::Impl {
  /// An open file; SQLite owns the memory.
  struct Open {
    sqlite3_file base;
    SqliteDisk* disk;
    std::shared_ptr<File> file;
    std::string delete_at_close;
    std::uint64_t life;

    bool isDead() const { return disk->dead_ || life != disk->life_; }
  };

  static SqliteDisk*& present() {
    static SqliteDisk* disk = nullptr;
    return disk;
  }
  static Open& of(sqlite3_file* file) { return *reinterpret_cast<Open*>(file); }

  static int close(sqlite3_file* raw) {
    Open& open = of(raw);
    if (!open.delete_at_close.empty() && !open.isDead()) open.disk->files_.erase(open.delete_at_close);
    open.~Open();
    return SQLITE_OK;
  }
  static int read(sqlite3_file* raw, void* out, int amount, sqlite3_int64 offset) {
    const Open& open = of(raw);
    if (open.isDead()) return SQLITE_IOERR_READ;
    const std::string& content = open.file->content;
    const auto want = static_cast<std::size_t>(amount);
    const std::size_t from = std::min(static_cast<std::size_t>(offset), content.size());
    const std::size_t have = std::min(want, content.size() - from);
    std::memcpy(out, content.data() + from, have);
    std::memset(static_cast<char*>(out) + have, 0, want - have);
    return have == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* raw, const void* data, int amount, sqlite3_int64 offset) {
    Open& open = of(raw);
    if (open.isDead() || !open.disk->mayChange()) return SQLITE_IOERR_WRITE;
    std::string& content = open.file->content;
    Change change;
    change.offset = static_cast<std::size_t>(offset);
    change.after.assign(static_cast<const char*>(data), static_cast<std::size_t>(amount));
    change.size_before = content.size();
    const std::size_t end = change.offset + change.after.size();
    if (end > content.size() && open.disk->dice_.chance(open.disk->full)) return SQLITE_FULL;
    if (end > content.size()) content.resize(end);
    change.before = content.substr(change.offset, change.after.size());
    content.replace(change.offset, change.after.size(), change.after);
    open.file->unsynced.push_back(std::move(change));
    return SQLITE_OK;
  }
  static int truncate(sqlite3_file* raw, sqlite3_int64 size) {
    Open& open = of(raw);
    if (open.isDead() || !open.disk->mayChange()) return SQLITE_IOERR_TRUNCATE;
    std::string& content = open.file->content;
    Change change;
    change.truncates = true;
    change.offset = std::min(static_cast<std::size_t>(size), content.size());
    change.size_before = content.size();
    change.before = content.substr(change.offset);
    content.resize(change.offset);
    open.file->unsynced.push_back(std::move(change));
    return SQLITE_OK;
  }
  static int sync(sqlite3_file* raw, int) {
    Open& open = of(raw);
    if (open.isDead() || !open.disk->mayChange()) return SQLITE_IOERR_FSYNC;
    if (open.disk->dice_.chance(open.disk->sync_fails)) return SQLITE_IOERR_FSYNC;
    open.file->unsynced.clear();
    return SQLITE_OK;
  }
  static int fileSize(sqlite3_file* raw, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(raw).file->content.size());
    return of(raw).isDead() ? SQLITE_IOERR_FSTAT : SQLITE_OK;
  }
  // One process, one connection: locks are free.
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int checkReservedLock(sqlite3_file*, int* reserved) {
    *reserved = 0;
    return SQLITE_OK;
  }
  static int fileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sectorSize(sqlite3_file*) { return static_cast<int>(kSector); }
  static int characteristics(sqlite3_file*) { return 0; }
  static int shmMap(sqlite3_file* raw, int page, int size, int extend, void volatile** out) {
    const Open& open = of(raw);
    *out = nullptr;
    if (open.isDead()) return SQLITE_IOERR_SHMMAP;
    auto& pages = open.file->shared;
    const auto wanted = static_cast<std::size_t>(page);
    if (pages.size() <= wanted && extend == 0) return SQLITE_OK;
    while (pages.size() <= wanted) pages.push_back(std::make_unique<std::string>(static_cast<std::size_t>(size), '\0'));
    *out = pages[wanted]->data();
    return SQLITE_OK;
  }
  static int shmLock(sqlite3_file*, int, int, int) { return SQLITE_OK; }
  static void shmBarrier(sqlite3_file*) {}
  static int shmUnmap(sqlite3_file* raw, int remove) {
    if (remove != 0) of(raw).file->shared.clear();
    return SQLITE_OK;
  }

  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods kMethods = {2,
                                                &close,
                                                &read,
                                                &write,
                                                &truncate,
                                                &sync,
                                                &fileSize,
                                                &lock,
                                                &lock,
                                                &checkReservedLock,
                                                &fileControl,
                                                &sectorSize,
                                                &characteristics,
                                                &shmMap,
                                                &shmLock,
                                                &shmBarrier,
                                                &shmUnmap,
                                                nullptr,
                                                nullptr};
    return kMethods;
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* raw, int flags, int* out_flags) {
    raw->pMethods = nullptr;
    SqliteDisk* disk = present();
    if (disk == nullptr || disk->dead_) return SQLITE_CANTOPEN;
    const std::string path = name == nullptr ? "" : name;
    std::shared_ptr<File> file;
    if (path.empty()) {
      file = std::make_shared<File>();
    } else {
      const auto found = disk->files_.find(path);
      if (found == disk->files_.end() && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      file = found == disk->files_.end() ? disk->files_.emplace(path, std::make_shared<File>()).first->second
                                         : found->second;
    }
    new (raw)
        Open{{&methods()}, disk, std::move(file), (flags & SQLITE_OPEN_DELETEONCLOSE) != 0 ? path : "", disk->life_};
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs*, const char* name, int) {
    SqliteDisk* disk = present();
    if (disk == nullptr || disk->dead_ || !disk->mayChange()) return SQLITE_IOERR_DELETE;
    return disk->files_.erase(name) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
  }
  static int access(sqlite3_vfs*, const char* name, int, int* out) {
    *out = present() != nullptr && present()->files_.contains(name) ? 1 : 0;
    return SQLITE_OK;
  }
  static int fullPath(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs*, int size, char* out) {
    std::memset(out, 42, static_cast<std::size_t>(size));
    return size;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int currentTime(sqlite3_vfs*, double* out) {
    *out = 2460000.5;
    return SQLITE_OK;
  }
  static int currentTimeMs(sqlite3_vfs*, sqlite3_int64* out) {
    *out = 212'544'000'000'000;
    return SQLITE_OK;
  }
  static int lastError(sqlite3_vfs*, int, char*) { return 0; }

  static sqlite3_vfs& vfs() {
    static sqlite3_vfs vfs = [] {
      sqlite3_vfs out{};
      out.iVersion = 2;
      out.szOsFile = sizeof(Open);
      out.mxPathname = 512;
      out.zName = "vcc-sim";
      out.xOpen = &open;
      out.xDelete = &remove;
      out.xAccess = &access;
      out.xFullPathname = &fullPath;
      out.xRandomness = &randomness;
      out.xSleep = &sleep;
      out.xCurrentTime = &currentTime;
      out.xGetLastError = &lastError;
      out.xCurrentTimeInt64 = &currentTimeMs;
      return out;
    }();
    return vfs;
  }
};

SqliteDisk::SqliteDisk(Dice& dice) : dice_(dice) {
  Impl::present() = this;
  sqlite3_vfs_register(&Impl::vfs(), 1);
}

SqliteDisk::~SqliteDisk() {
  sqlite3_vfs_unregister(&Impl::vfs());
  Impl::present() = nullptr;
}

bool SqliteDisk::mayChange() {
  if (die_in_ > 0 && --die_in_ == 0) dead_ = true;
  return !dead_;
}

void SqliteDisk::undo(File& file) {
  std::vector<Change> changes;
  changes.swap(file.unsynced);
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    if (change->truncates) {
      file.content += change->before;
    } else {
      file.content.replace(change->offset, change->after.size(), change->before);
    }
    file.content.resize(change->size_before);
  }
  for (Change& change : changes) {
    std::size_t kept = change.after.size();
    switch (dice_.roll(3)) {
      case 0:
        continue;
      case 1:
        kept = std::min(kept, kSector * dice_.roll(kept / kSector + 1));
        break;
      default:
        break;
    }
    if (change.truncates) {
      file.content.resize(std::min(file.content.size(), change.offset));
      continue;
    }
    if (kept == 0) continue;
    file.content.resize(std::max(file.content.size(), change.offset + kept));
    file.content.replace(change.offset, kept, change.after.substr(0, kept));
  }
}

void SqliteDisk::crash() {
  for (const auto& [path, file] : files_) {
    undo(*file);
    file->shared.clear();
  }
  ++life_;
  die_in_ = 0;
  dead_ = false;
}

bool SqliteDisk::holds(const std::string& text) const {
  return std::any_of(files_.begin(), files_.end(),
                     [&](const auto& entry) { return entry.second->content.find(text) != std::string::npos; });
}

}  // namespace vcc::sim

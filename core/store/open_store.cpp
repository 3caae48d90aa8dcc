// SPDX-License-Identifier: Apache-2.0
#include "store/open_store.h"

#include <utility>

#include "store/memory_journal.h"
#include "store/sqlite_journal.h"

namespace vcc {

Result<std::unique_ptr<Store>> openStore(const std::string& folder, FileSystem& files, const Clock& clock,
                                         Executor& writer, Logger& log, const StoreOptions& options) {
  const std::string path = folder + "/" + kDatabaseName;
  // SQLite would make the file with the mode that the umask leaves, and gives its side files the mode of the file.
  if (!files.exists(path)) VCC_RETURN_IF_ERROR(files.writeAtomic(path, "", 0600));
  VCC_ASSIGN_OR_RETURN(auto journal, SqliteJournal::open(path, log));
  VCC_ASSIGN_OR_RETURN(auto store, MirrorStore::open(std::move(journal), clock, writer, log, options));
  return std::unique_ptr<Store>(std::move(store));
}

std::unique_ptr<Store> makeMemoryStore(const Clock& clock, Executor& writer, Logger& log, const StoreOptions& options) {
  auto store = MirrorStore::open(std::make_unique<MemoryJournal>(), clock, writer, log, options);
  return std::move(store).value();  // reading nothing cannot fail
}

}  // namespace vcc

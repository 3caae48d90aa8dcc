// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/log.h"
#include "store/mirror_store.h"
#include "store/store.h"

/// Where stores come from. Everything passed by reference is borrowed and outlives the store.
namespace vcc {

/// Name of the database in a data folder. Beside it lie `vcc.db-wal` and `vcc.db-shm` while the server runs.
inline constexpr char kDatabaseName[] = "vcc.db";

/// Opens (or makes, with mode 0600) the database in `folder`, which must exist and be locked by the caller, and reads
/// it into memory. `writer` runs the flushes: give it one thread of its own. Errors as SqliteJournal::open; kDataLoss
/// when the file as a whole is damaged. Blocks.
Result<std::unique_ptr<Store>> openStore(const std::string& folder, FileSystem& files, const Clock& clock,
                                         Executor& writer, Logger& log, const StoreOptions& options = {});

/// A store that forgets everything when it dies.
std::unique_ptr<Store> makeMemoryStore(const Clock& clock, Executor& writer, Logger& log,
                                       const StoreOptions& options = {});

}  // namespace vcc

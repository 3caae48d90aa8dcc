// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/status.h"
#include "store/store.h"

/// The folder that holds everything the controller must not lose.
namespace vcc {

/// Paths inside the data folder, written once.
struct DataPaths {
  explicit DataPaths(std::string folder) : dir(std::move(folder)) {}
  std::string dir;
  std::string lock() const { return dir + "/occtr.lock"; }
  std::string ssh() const { return dir + "/ssh"; }
  std::string run() const { return dir + "/run"; }
  std::string runFile() const { return dir + "/run/occtr.json"; }
};

/// Makes the folder (0700) when it is missing and checks that it is ours and that nobody else can write to it.
/// kFailedPrecondition names the folder, what is wrong and the command that mends it.
Status openDataFolder(FileSystem& files, const std::string& dir);

/// Keeps every other controller out while the result lives. kFailedPrecondition names the folder, the running process
/// (from its run file) and the remedy.
Result<std::unique_ptr<FileLock>> lockDataFolder(FileSystem& files, const DataPaths& paths);

/// What a data folder is for ever (architecture 23).
struct Stamp {
  std::string vcc_id;  ///< 32 hex
  bool evaluation = false;
  bool fresh = false;  ///< this call wrote it
};

/// Reads the stamp, or writes one when there is none. With `must_match` an existing stamp of the other kind is
/// kFailedPrecondition; without it the existing one is taken as it is.
Result<Stamp> stampFolder(Store& store, Random& random, const std::string& dir, bool evaluation, bool must_match);

}  // namespace vcc

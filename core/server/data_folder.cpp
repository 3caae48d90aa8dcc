// SPDX-License-Identifier: Apache-2.0
#include "server/data_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr char kVccId[] = "vcc_id";
constexpr char kEvaluation[] = "evaluation";

std::string kindOf(bool evaluation) { return evaluation ? "an evaluation folder" : "a production folder"; }

}  // namespace

Status openDataFolder(FileSystem& files, const std::string& dir) {
  VCC_RETURN_IF_ERROR(files.makeDirs(dir, 0700).prepend("data folder"));
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0) {
    return failedPrecondition(
        fmt::format("data folder {}: cannot look at it: {}", dir, std::generic_category().message(errno)));
  }
  if (info.st_uid != ::geteuid()) {
    return failedPrecondition(
        fmt::format("data folder {}: it belongs to uid {}, the controller runs as uid {}; start it "
                    "as that user, or `chown -R {} {}`",
                    dir, info.st_uid, ::geteuid(), ::geteuid(), dir));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return failedPrecondition(
        fmt::format("data folder {}: others may write to it; close it with `chmod 700 {}`", dir, dir));
  }
  return okStatus();
}

Result<std::unique_ptr<FileLock>> lockDataFolder(FileSystem& files, const DataPaths& paths) {
  Result<std::unique_ptr<FileLock>> lock = files.lock(paths.lock());
  if (lock.ok() || lock.status().code() != Code::kFailedPrecondition) return lock;
  Result<std::string> run = files.read(paths.runFile(), 4096);
  if (run.ok()) run = run->substr(0, run->find('\n'));
  return failedPrecondition(fmt::format(
      "data folder {}: another controller uses it (lock {}{}); stop that one first, or give this one another data_dir",
      paths.dir, paths.lock(), run.ok() ? "; " + paths.runFile() + " says " + cleanUtf8(*run, 300) : ""));
}

Result<Stamp> stampFolder(Store& store, Random& random, const std::string& dir, bool evaluation, bool must_match) {
  Stamp stamp;
  VCC_RETURN_IF_ERROR(store.transact([&](Tx& tx) -> Status {
    stamp = {};
    const Meta* id = tx.metas().find(kVccId);
    const Meta* kind = tx.metas().find(kEvaluation);
    if (id != nullptr && kind != nullptr) {
      stamp.vcc_id = id->text;
      stamp.evaluation = kind->number != 0;
      if (must_match && stamp.evaluation != evaluation) {
        return failedPrecondition(
            fmt::format("data folder {}: it was made as {} and stays one for ever; use another "
                        "folder for {}",
                        dir, kindOf(stamp.evaluation), kindOf(evaluation)));
      }
      return okStatus();
    }
    stamp = {newId(random), evaluation, true};
    VCC_RETURN_IF_ERROR(tx.metas().put(Meta{kVccId, stamp.vcc_id, 0}));
    return tx.metas().put(Meta{kEvaluation, "", evaluation ? 1 : 0});
  }));
  return stamp;
}

}  // namespace vcc

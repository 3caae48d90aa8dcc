// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/log.h"
#include "base/mutex.h"
#include "catalog/catalog.h"

namespace vcc {

/// The present VPN catalog and the file it comes from. Thread safe.
class CatalogFile {
 public:
  CatalogFile(FileSystem& files, Logger& log, std::string path)
      : files_(files), log_(log), path_(std::move(path)), catalog_(std::make_shared<const Catalog>()) {}

  /// Reads the file and swaps the catalog as a whole; an error keeps the one that was there. No path: stays empty.
  Status load();
  std::shared_ptr<const Catalog> get() const;

 private:
  FileSystem& files_;
  Logger& log_;
  const std::string path_;
  mutable Mutex mutex_;
  std::shared_ptr<const Catalog> catalog_ VCC_GUARDED_BY(mutex_);
};

}  // namespace vcc

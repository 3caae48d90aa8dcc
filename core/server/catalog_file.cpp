// SPDX-License-Identifier: Apache-2.0
#include "server/catalog_file.h"

namespace vcc {

Status CatalogFile::load() {
  if (path_.empty()) return okStatus();
  VCC_ASSIGN_OR_RETURN(Catalog fresh, Catalog::load(files_, path_, log_));
  auto shared = std::make_shared<const Catalog>(std::move(fresh));
  const MutexLock lock(mutex_);
  catalog_ = std::move(shared);
  return okStatus();
}

std::shared_ptr<const Catalog> CatalogFile::get() const {
  const MutexLock lock(mutex_);
  return catalog_;
}

}  // namespace vcc

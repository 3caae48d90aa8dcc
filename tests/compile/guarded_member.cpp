// SPDX-License-Identifier: Apache-2.0
// Compiles; with VCC_WITHOUT_LOCK it must not. scripts/check holds the clang build to both.
#include "base/mutex.h"

namespace {

class Counter {
 public:
  int next() VCC_EXCLUDES(mutex_) {
#ifndef VCC_WITHOUT_LOCK
    const vcc::MutexLock lock(mutex_);
#endif
    return ++count_;
  }

 private:
  vcc::Mutex mutex_;
  int count_ VCC_GUARDED_BY(mutex_) = 0;
};

}  // namespace

int main() { return Counter().next(); }

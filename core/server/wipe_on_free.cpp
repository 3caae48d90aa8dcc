// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <string.h>

#include <cstdlib>
#include <new>

/// Whatever the program frees is wiped first. Credentials pass through parsers, strings and buffers of libraries that
/// know nothing of secrets; here every copy of them ends, so a dump of the heap shows only those in use.
/// Part of the program occtr alone; all other forms of new and delete end in these.

void* operator new(std::size_t size) {
  for (;;) {
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  ::explicit_bzero(memory, ::malloc_usable_size(memory));
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

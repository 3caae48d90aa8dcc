// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/crypto.h>

#include <cstddef>
#include <memory>

namespace vcc {

/// Gives memory back wiped: for containers that may hold secrets among other things. `Base` is where it comes from.
template <typename T, template <typename> class Base = std::allocator>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U, Base>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor)
  template <typename U>
  struct rebind {
    using other = WipingAllocator<U, Base>;
  };

  T* allocate(std::size_t count) { return Base<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    OPENSSL_cleanse(static_cast<void*>(memory), count * sizeof(T));
    Base<T>().deallocate(memory, count);
  }

  friend bool operator==(const WipingAllocator& /*a*/, const WipingAllocator& /*b*/) noexcept { return true; }
};

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/wiping_allocator.h"

using namespace vcc;

namespace {

/// Memory that can be looked at after it was given back.
std::array<char, 4096> arena;
std::size_t used = 0;

template <typename T>
struct FromArena {
  T* allocate(std::size_t count) {
    void* at = arena.data() + used;
    used += (count * sizeof(T) + 63) / 64 * 64;
    REQUIRE(used <= arena.size());
    return static_cast<T*>(at);
  }
  void deallocate(T* /*memory*/, std::size_t /*count*/) noexcept {}
};

template <typename T>
using Allocator = WipingAllocator<T, FromArena>;
using Text = std::basic_string<char, std::char_traits<char>, Allocator<char>>;

bool holds(std::string_view text) {
  return std::search(arena.begin(), arena.end(), text.begin(), text.end()) != arena.end();
}

}  // namespace

TEST_CASE("wiping allocator: nothing is left of what was held, nor of what it outgrew") {
  used = 0;
  {
    std::vector<Text, Allocator<Text>> texts;
    texts.emplace_back("a-cloud-token-that-is-long-enough");
    texts.emplace_back("a-short-one");
    texts[0].append(100, '!');
    CHECK(holds("a-cloud-token-that"));
    CHECK(holds("a-short-one"));
  }
  CHECK_FALSE(holds("a-cloud-token"));
  CHECK_FALSE(holds("a-short-one"));
}

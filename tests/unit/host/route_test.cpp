// SPDX-License-Identifier: Apache-2.0
#include "host/route.h"

#include <doctest/doctest.h>

using namespace vcc;

TEST_CASE("the source address of a route") {
  const auto loopback = sourceAddressTowards("127.0.0.11");
  REQUIRE_MESSAGE(loopback.ok(), loopback.status().toString());
  CHECK(*loopback == "127.0.0.1");
  CHECK(sourceAddressTowards("not an address").status().code() == Code::kInvalidArgument);
}

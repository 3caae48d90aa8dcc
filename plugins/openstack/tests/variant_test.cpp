// SPDX-License-Identifier: Apache-2.0
// A driver of a site's own, made of the parts of this one.
#include "driver.h"
#include "rig.h"

using namespace openstack_test;

namespace {

/// Names its servers and chooses a zone in its own way.
class Site final : public openstack::OpenStackDriver {
 public:
  explicit Site(const FakeHost& host) : OpenStackDriver(Host(host.table()), R"({"instance":"site"})") {}
  std::string_view schema() const override { return "{}"; }

 protected:
  std::string serverName(const Item& item) const override { return "site-" + std::string(item.name); }
  void adjustServer(const Item& item, const Json& spec, const openstack::Site& site, Json& request) const override {
    CHECK(spec.at("provider") == "openstack");
    request["server"]["availability_zone"] = site.zone + (item.create_index % 2 == 0 ? "-even" : "-odd");
  }
};

template <class Step>
ItemAnswer stepOf(const Items& one, Step&& step) {
  return testing::mutate(one,
                         [&](auto, auto sink, auto) {
                           Results out(sink);
                           step(out);
                           return VCP_OK;
                         })
      .items.at(0);
}

}  // namespace

TEST_CASE("variant: its names and its placement go with a machine's whole life") {
  Rig rig;
  Site driver(rig.host);
  Items one = items(1);
  const std::string entry = entryWith(R"({"openstack_availability_zone":"z"})");
  for (std::int64_t attempt = 1; attempt <= 2; ++attempt) {
    learn(one[0], stepOf(one, [&](Results& out) { driver.create(Call(rig.call(attempt, entry)), kSpec, one, out); }));
  }
  REQUIRE(rig.cloud.servers().size() == 1);
  const fake_openstack::Server& server = rig.cloud.servers().begin()->second;
  CHECK(server.name == "site-" + std::string(one[0].name));
  CHECK(server.zone == "z-even");
  rig.pass(10'000);

  // By the minted name alone: found, not made twice, and removed.
  const Items bare = items(1);
  CHECK(stepOf(bare, [&](Results& out) { driver.create(Call(rig.call(3, entry)), kSpec, bare, out); }).cloud_id ==
        one[0].cloud_id);
  for (int step = 0; step < 4; ++step) {
    stepOf(bare, [&](Results& out) { driver.destroy(Call(rig.call()), bare, out); });
    rig.pass(5000);
  }
  CHECK(rig.cloud.objects().empty());
}

// SPDX-License-Identifier: Apache-2.0
// The OpenStack of a department that has rules of its own: servers are named after the department, because its
// accounting reads names, and are spread over its machine rooms, because these lose power one at a time. Everything
// else is the driver of the product.
#include <string>
#include <string_view>
#include <vector>

#include "vcp/openstack/driver.h"
#include "vcp/openstack/info.h"
#include "vcp/plugin/cpp/plugin.h"
#include "vcp_schema.h"

namespace physics {

using vcp::plugin::Host;
using vcp::plugin::invalid;
using vcp::plugin::Item;
using vcp::plugin::Json;

constexpr char kRooms[] = "rooms";

/// The options that are ours; the others go on to the driver of the product, which refuses what it does not know.
std::vector<std::string> takeRooms(Json& config) {
  std::vector<std::string> rooms;
  Json& options = config["options"];
  const Json given = options.is_object() ? options.value(kRooms, Json::array()) : Json::array();
  for (const Json& room : given) {
    if (!room.is_string() || room.get_ref<const std::string&>().empty()) {
      throw invalid("/options/rooms", "must be a list of names of availability zones");
    }
    rooms.push_back(room.get<std::string>());
  }
  if (rooms.empty()) throw invalid("/options/rooms", "is missing; name the availability zones of the department");
  options.erase(kRooms);
  return rooms;
}

class Physics final : public openstack::OpenStackDriver {
 public:
  Physics(Host host, std::string_view config) : Physics(host, vcp::plugin::parseObject(config, "config")) {}

  std::string_view schema() const override { return vcp_schema::kText; }

 protected:
  std::string serverName(const Item& item) const override { return "physics-" + std::string(item.name); }

  /// The room follows from the name, so a request that is sent again asks for the same one.
  void adjustServer(const Item& item, const Json&, const openstack::Site&, Json& request) const override {
    std::size_t sum = 0;
    for (const char c : item.name) sum = sum * 31 + static_cast<unsigned char>(c);
    request["server"]["availability_zone"] = rooms_[sum % rooms_.size()];
  }

 private:
  // `rooms_` is set after the base, but from a copy: the base gets what is left.
  Physics(Host host, Json config) : OpenStackDriver(host, withoutRooms(config)), rooms_(takeRooms(config)) {}
  static std::string withoutRooms(Json config) {
    takeRooms(config);
    return config.dump();
  }

  const std::vector<std::string> rooms_;
};

constexpr vcp_plugin_info_t makeInfo() {
  vcp_plugin_info_t info = openstack::commonInfo();
  info.id = VCP_LITERAL("com.example.physics");
  info.provider = VCP_LITERAL("physics");
  info.display_name = VCP_LITERAL("OpenStack of the department of physics");
  info.vendor = VCP_LITERAL("example.com");
  info.version = VCP_LITERAL("1.0+20261129");
  return info;
}
constexpr vcp_plugin_info_t kInfo = makeInfo();

}  // namespace physics

VCP_PLUGIN(physics::Physics, physics::kInfo);

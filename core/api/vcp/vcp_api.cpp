// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/vcp_api.h"

namespace vcc {
namespace {

/// `fail` would fit `{vcid}`: without this row a failure notice would reach the add-unit handler (rest-protocol 11).
Route failureNotices() {
  return {"POST", "/vcs/fail", true, true, [](const ApiRequest&) -> Result<HttpAnswer> {
            return notFound("failure notices are not taken at this port");
          }};
}

}  // namespace

std::vector<Route> vcpRoutes(const VcpSeams& seams) {
  std::vector<Route> routes{failureNotices()};
  for (Route& route : vcpReadRoutes(seams)) routes.push_back(std::move(route));
  for (Route& route : vcpWriteRoutes(seams)) routes.push_back(std::move(route));
  return routes;
}

}  // namespace vcc

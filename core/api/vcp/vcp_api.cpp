// SPDX-License-Identifier: Apache-2.0
#include "api/vcp/vcp_api.h"

#include "api/vcp/openapi.h"

namespace vcc {
namespace {

/// Describes the whole table, itself included.
void addDocument(std::vector<Route>& routes) {
  // For everybody: it holds no more than the sources do, and tools fetch it without a token.
  routes.push_back({"GET", "/openapi.json", false, false, {}});
  const auto text = std::make_shared<const std::string>(openApiDocument(routes));
  routes.back().handler = [text](const ApiRequest&) -> Result<HttpAnswer> { return HttpAnswer{200, *text, {}}; };
}

}  // namespace

std::vector<Route> vcpRoutes(const VcpSeams& seams) {
  // First: "fail" would fit {vcid}, and a notice would reach the add-unit handler (spec/rest-protocol 5.1).
  std::vector<Route> routes{seams.notices.withToken()};
  for (Route& route : vcpReadRoutes(seams)) routes.push_back(std::move(route));
  for (Route& route : vcpWriteRoutes(seams)) routes.push_back(std::move(route));
  for (Route& route : vcpVerbRoutes(seams)) routes.push_back(std::move(route));
  addDocument(routes);
  return routes;
}

Result<HttpAnswer> accepted(const Status& status) {
  if (!status.ok()) return status;
  return HttpAnswer{202, "{}", {}};
}

}  // namespace vcc

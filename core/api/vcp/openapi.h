// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "api/router.h"

namespace vcc {

/// The OpenAPI 3.0 document (JSON) of a routing table of the REST API. Paths, methods, parameters, who needs a token
/// and the status of success come from the table, refusals from the error map, states from model/states.h; only the
/// words and the shapes of bodies are written down beside it. The paths begin with "/occtr", as in the published
/// document.
std::string openApiDocument(const std::vector<Route>& routes);

/// What the document has no words for ("GET /x"), and words whose route is not in the table. Both are a mistake.
std::vector<std::string> undescribedRoutes(const std::vector<Route>& routes);
std::vector<std::string> unroutedDescriptions(const std::vector<Route>& routes);

/// The shapes of bodies: a JSON object, name -> schema.
std::string openApiSchemas();

}  // namespace vcc

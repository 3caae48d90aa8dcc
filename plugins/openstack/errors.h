// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "vcp/plugin/cpp/http.h"

namespace openstack {

/// What an answer other than 2xx to `what` ("POST compute /servers") means: why, and whether the request took effect
/// all the same. Quotas, rates and capacity share statuses, so the service's own words decide; a body that is of none
/// of the services (a proxy's page) is judged by the status.
vcp::plugin::Error refusal(const vcp::plugin::HttpResponse& response, const std::string& what);

/// Could a new token change this answer? A 401, or what Nova says when it still takes a token that has been taken back,
/// and Glance, which it asks with it, does not. Such a request has changed nothing.
bool isOfToken(const vcp::plugin::HttpResponse& response);

/// Did the cloud itself say that an object does not exist?
bool isAbsent(const vcp::plugin::Error& error);

/// Why a server is in status ERROR: the words of its fault, and the code that a create would have ended with.
vcp::plugin::Error faultOf(std::string_view message, int code);

}  // namespace openstack

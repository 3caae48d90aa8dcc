// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "vcp/plugin/cpp/http.h"

namespace ec2 {

/// What an answer other than 2xx to `action` means: why, and whether the request took effect all the same. EC2's own
/// code decides, not the status (capacity comes as 500); a body that is no EC2 error (a proxy's page) is judged by the
/// status.
vcp::plugin::Error refusal(const vcp::plugin::HttpResponse& response, const std::string& action);

/// Did the cloud itself say that an object that was asked for by its id does not exist?
bool isAbsent(const vcp::plugin::Error& error);

/// The ids with this prefix ("i-") that the error's text names: EC2 says in words which of many do not exist.
std::vector<std::string> idsIn(const std::string& text, const std::string& prefix);

}  // namespace ec2

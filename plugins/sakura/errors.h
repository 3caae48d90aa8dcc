// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vcp/plugin/cpp/http.h"

namespace sakura {

/// What an answer other than 2xx means; `what` names the request. An answer that is no JSON object of Sakura's is
/// judged by its status alone.
vcp::plugin::Error refusal(const vcp::plugin::HttpResponse& response, const std::string& what);

}  // namespace sakura

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace onpremises {

/// Throws vcp::plugin::Error INVALID_ARGUMENT with the JSON pointer of the bad value. `loopback_allowed`: the
/// controller runs in evaluation, where several loopback addresses may stand for several servers.
void checkParams(std::string_view cloud_params, bool loopback_allowed);

/// Checks that `address` can be an existing server; `pointer` names it in the error.
void checkAddress(std::string_view address, std::string_view pointer, bool loopback_allowed);

}  // namespace onpremises

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/scrubber.h"
#include "plugin_host/http_transport.h"

/// What of an exchange may be written down: everything but secrets, which become "***". Known values go by a Scrubber;
/// what only the cloud and the driver know (session tokens, signatures) goes by the name that it stands under.
namespace vcc {

/// Is this the name of a header, query parameter or member whose value is secret? Case does not matter.
bool isSecretName(std::string_view name);

HttpHeaders redactHeaders(const HttpHeaders& headers, const Scrubber& scrubber);
/// Values of secret query parameters.
std::string redactUrl(const std::string& url, const Scrubber& scrubber);
/// Values of secret members of JSON ("name": "value"), elements of XML (<name>value</name>) and parameters of forms
/// (name=value), at any depth. Bodies need not be well-formed.
std::string redactBody(const std::string& body, const Scrubber& scrubber);

}  // namespace vcc

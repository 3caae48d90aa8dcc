// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/http_types.h"
#include "base/status.h"

/// The one place that turns errors into HTTP (choices.md "refused requests", spec/rest-protocol 3.1).
namespace vcc {

/// `{"message": "<YYYY/MM/DD HH:MM:SS UTC>: <ExceptionName>: <text>"}` with the HTTP status of the code. `status` is
/// not ok; a time to wait becomes the header Retry-After, in seconds. The texts of internal errors stay in the log; the
/// client gets the request id to name.
HttpAnswer errorAnswer(const Status& status, std::int64_t now_ms, std::string_view request_id);
HttpAnswer errorAnswer(HttpRefusal refusal, std::string_view text, std::int64_t now_ms);

/// A way to refuse: the status, and the name that stands in the message.
struct ErrorRow {
  int http_status;
  std::string_view exception;
  auto operator<=>(const ErrorRow&) const = default;
};

/// All of them, each once, by status.
std::vector<ErrorRow> errorRows();

/// True when the text of such an error is for the log only.
bool isInternal(Code code);

}  // namespace vcc

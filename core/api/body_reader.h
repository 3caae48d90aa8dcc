// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/HTTPServerRequestImpl.h>

#include <cstdint>
#include <string>

#include "api/http_types.h"
#include "base/clock.h"
#include "base/status.h"

namespace vcc {

/// Reads the body of a request within bounds. One per request.
class BodyReader {
 public:
  /// Looks at the framing headers only.
  BodyReader(Poco::Net::HTTPServerRequestImpl& request, const Clock& clock, std::int64_t timeout_ms);

  /// Why the request cannot be served because of its framing (both length and chunks, two lengths, not a number).
  const Status& framing() const { return framing_; }
  /// True when the announced length is over the limit already.
  bool tooLong() const { return length_ > static_cast<std::int64_t>(kMaxBodyBytes); }

  enum class End { kComplete, kTooLong, kTruncated, kTimeout };
  /// Fills `body`.
  End read(std::string& body);

  /// True when nothing of this request is left on the connection, so that another may follow. Reads a short rest off.
  bool finish();
  /// After the answer: swallows what a client still sends, so that it gets to read the answer instead of a reset.
  void linger();

 private:
  Poco::Net::HTTPServerRequestImpl& request_;
  const Clock& clock_;
  std::int64_t timeout_ms_;
  std::int64_t length_ = 0;  // announced; -1 = chunks
  std::int64_t taken_ = 0;
  bool ended_ = false;
  Status framing_;
};

}  // namespace vcc

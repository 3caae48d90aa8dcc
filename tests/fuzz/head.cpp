// SPDX-License-Identifier: Apache-2.0
// Heads of requests as they come from a socket, at once and in pieces.
#include "api/http_head.h"
#include "fuzz.h"

using namespace vcc;

namespace {

/// Feeds the bytes in pieces of `step` and stops where the scan does.
HeadScan::Found scanPieces(HeadScan& scan, const std::string& bytes, std::size_t step) {
  for (std::size_t size = std::min(step, bytes.size()); size < bytes.size(); size += step) {
    const HeadScan::Found found = scan.scan(std::string_view(bytes).substr(0, size));
    if (found != HeadScan::Found::kMore) return found;
  }
  return scan.scan(bytes);
}

bool isClean(const std::string& text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = fuzz::text(data, size);
  HeadScan whole{HeadLimits{}};
  HeadScan pieces{HeadLimits{}};
  const HeadScan::Found found = whole.scan(bytes);
  const std::size_t step = size == 0 ? 1 : 1 + data[size - 1] % 16;
  fuzz::require(scanPieces(pieces, bytes, step) == found, "a head that ends elsewhere when it comes in pieces");
  if (found == HeadScan::Found::kFault) fuzz::require(!whole.fault().text.empty(), "a refusal without a word");
  if (found == HeadScan::Found::kEnd) {
    fuzz::require(whole.size() == pieces.size() && whole.size() <= bytes.size(), "a head of another size in pieces");
  }
  const RequestHead head = parseHead(found == HeadScan::Found::kEnd ? bytes.substr(0, whole.size()) : bytes);
  if (head.fault) {
    fuzz::require(!head.fault->text.empty(), "a refusal without a word");
    return 0;
  }
  fuzz::require(head.body_bytes >= kChunked, "a body of negative length");
  fuzz::require(!head.http.method.empty() && isClean(head.http.method), "a method that is none");
  fuzz::require(isClean(head.http.target) && isClean(head.http.token), "a line break inside a field");
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "host/container_list.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <charconv>
#include <ctime>
#include <string>

#include "base/encoding.h"

namespace vcc {
namespace {

constexpr std::size_t kTextLimit = 512;

std::string textAt(const Poco::JSON::Array& array, unsigned index) {
  return cleanUtf8(array.get(index).extract<std::string>(), kTextLimit);
}

/// The number in the decimal digits at `position`; -1 when there is another character.
int digits(std::string_view text, std::size_t position, std::size_t count) {
  int value = 0;
  if (position + count > text.size()) return -1;
  for (char c : text.substr(position, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::int64_t parseEngineTime(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return 0;
  }
  std::tm parts{};
  parts.tm_year = digits(text, 0, 4) - 1900;
  parts.tm_mon = digits(text, 5, 2) - 1;
  parts.tm_mday = digits(text, 8, 2);
  parts.tm_hour = digits(text, 11, 2);
  parts.tm_min = digits(text, 14, 2);
  parts.tm_sec = digits(text, 17, 2);
  if (parts.tm_year < 70 || parts.tm_mon < 0 || parts.tm_mday < 1 || parts.tm_hour < 0 || parts.tm_min < 0 ||
      parts.tm_sec < 0) {
    return 0;
  }
  std::int64_t ms = std::int64_t{::timegm(&parts)} * 1000;

  std::size_t at = 19;
  if (text[at] == '.') {
    for (int unit = 100; ++at < text.size() && text[at] >= '0' && text[at] <= '9'; unit /= 10) {
      ms += unit * (text[at] - '0');
    }
  }
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    int hours = digits(text, at + 1, 2);
    int minutes = digits(text, at + 4, 2);
    if (hours < 0 || minutes < 0) return 0;
    std::int64_t offset_ms = (std::int64_t{hours} * 60 + minutes) * 60000;
    ms += text[at] == '+' ? -offset_ms : offset_ms;
  }
  return ms;
}

Result<FoundContainer> parseContainer(std::string_view json) {
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(4);
    auto array = parser.parse(std::string(json)).extract<Poco::JSON::Array::Ptr>();
    if (array->size() != 6) return internalError("not the six values that were asked for");
    FoundContainer found;
    found.id = textAt(*array, 0);
    found.name = textAt(*array, 1);
    if (found.name.starts_with('/')) found.name.erase(0, 1);  // docker's spelling; podman has none
    found.status = textAt(*array, 2);
    found.running = array->get(3).extract<bool>();
    found.started_at = parseEngineTime(textAt(*array, 4));
    if (!array->isNull(5)) {
      auto labels = array->get(5).extract<Poco::JSON::Object::Ptr>();
      auto label = [&](const char* name) { return cleanUtf8(labels->optValue<std::string>(name, ""), kTextLimit); };
      found.vcc = label("vcp.vcc");
      found.vcid = label("vcp.vcid");
      found.unit = label("vcp.unit");
      found.node_id = label("vcp.node_id");
      found.address = label("vcp.address");
      found.spec_hash = label("vcp.spec");
    }
    if (found.id.empty()) return internalError("a container without an id");
    return found;
  } catch (const Poco::Exception& error) {
    return internalError(cleanUtf8(error.displayText(), 200));
  } catch (const std::exception& error) {
    return internalError(cleanUtf8(error.what(), 200));
  }
}

}  // namespace vcc

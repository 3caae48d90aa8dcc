// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <deque>

#include "api/admin/admin_api.h"
#include "api/json_writer.h"
#include "base/encoding.h"
#include "store/schema.h"

namespace vcc {
namespace {

constexpr std::size_t kUsualEvents = 100;
constexpr std::size_t kMostEvents = 1000;
constexpr std::string_view kCursorHead = "e1.";

Result<std::size_t> readLimit(const std::string& text) {
  std::size_t limit = kUsualEvents;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool whole = error == std::errc() && stop == text.data() + text.size();
  if (text.empty() || (whole && limit >= 1 && limit <= kMostEvents)) return limit;
  return invalidArgument("query of the request: \"limit\" must be a number from 1 to " + std::to_string(kMostEvents));
}

std::string cursorOf(std::int64_t seq) { return base64UrlEncode(std::string(kCursorHead) + std::to_string(seq)); }

Result<std::int64_t> readCursor(const std::string& cursor) {
  const Result<std::string> text = base64UrlDecode(cursor);
  std::int64_t seq = -1;
  if (text.ok() && text->starts_with(kCursorHead)) {
    const char* const begin = text->data() + kCursorHead.size();
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(begin, end, seq);
    if (error != std::errc() || stop != end) seq = -1;
  }
  if (seq >= 0) return seq;
  return invalidArgument("query of the request: \"after\" is no cursor; use one that an earlier answer gave");
}

void writeEvent(JsonWriter& json, const Event& event) {
  json.beginObject();
  json.key("cursor").string(cursorOf(event.seq));
  json.key("at_ms").integer(event.at);
  json.key("vcid").string(event.vcid);
  json.key("object").string(event.object);
  json.key("object_id").string(event.object_id);
  json.key("from").string(event.from);
  json.key("to").string(event.to);
  json.key("reason").string(event.reason);
  json.key("op").string(event.op_id);
  json.endObject();
}

struct Page {
  std::deque<Event> events;
  std::int64_t last = 0;  ///< the seq up to which everything was looked at
  bool lost = false;
};

/// What follows `after`, at most `limit`.
Page following(const ReadTx& tx, std::int64_t after, const std::string& vcid, std::size_t limit) {
  Page page;
  page.last = after;
  std::int64_t first = 0;
  tx.events().scan([&](const Event& event) {
    first = event.seq;
    return false;
  });
  page.lost = after + 1 < first;
  tx.events().scanAfter(numberKey(after), [&](const Event& event) {
    if (page.events.size() == limit) return false;
    page.last = event.seq;
    if (vcid.empty() || event.vcid == vcid) page.events.push_back(event);
    return true;
  });
  if (page.last > after || after == 0 || tx.events().find(numberKey(after)) != nullptr) return page;
  // A cursor from ahead: the data folder was restored, or a disk lost what had been shown. Begin anew from here.
  page.lost = true;
  page.last = 0;
  tx.events().scan([&](const Event& event) {
    page.last = event.seq;
    return true;
  });
  return page;
}

/// The latest `limit`.
Page latest(const ReadTx& tx, const std::string& vcid, std::size_t limit) {
  Page page;
  tx.events().scan([&](const Event& event) {
    page.last = event.seq;
    if (!vcid.empty() && event.vcid != vcid) return true;
    page.events.push_back(event);
    if (page.events.size() > limit) page.events.pop_front();
    return true;
  });
  return page;
}

}  // namespace

Result<HttpAnswer> listEvents(const AdminSeams& seams, const ApiRequest& request) {
  const std::string& cursor = request.params[0];
  const std::string& vcid = request.params[2];
  VCC_ASSIGN_OR_RETURN(const std::size_t limit, readLimit(request.params[1]));
  std::int64_t after = 0;
  if (!cursor.empty()) {
    VCC_ASSIGN_OR_RETURN(after, readCursor(cursor));
  }
  Page page;
  seams.store.read(
      [&](const ReadTx& tx) { page = cursor.empty() ? latest(tx, vcid, limit) : following(tx, after, vcid, limit); });
  JsonWriter json;
  json.beginObject().key("events").beginArray();
  for (const Event& event : page.events) writeEvent(json, event);
  json.endArray();
  json.key("cursor").string(cursorOf(page.last));
  json.key("lost").boolean(page.lost);
  json.endObject();
  return HttpAnswer{200, json.take(), {}};
}

}  // namespace vcc

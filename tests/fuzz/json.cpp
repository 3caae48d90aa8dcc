// SPDX-License-Identifier: Apache-2.0
// JSON bodies as the routes read them, and what the writer makes of the same bytes.
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "base/encoding.h"
#include "fuzz.h"

using namespace vcc;

namespace {

void check(const Status& status) {
  fuzz::require(status.ok() || status.code() == Code::kInvalidArgument, "a refusal that is no 400");
  fuzz::require(isUtf8(status.message()), "a refusal that is not UTF-8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  JsonWriter json;
  json.beginObject().key("message").string(text).endObject();
  const Result<JsonBody> written = JsonBody::parse(json.take());
  fuzz::require(written.ok(), "the writer's JSON does not parse");
  const Result<std::string> back = written->text("message", "");
  if (text.find('\0') == std::string::npos) {
    fuzz::require(back.ok(), "the writer's text does not read");
    fuzz::require(*back == cleanUtf8(text, text.size() * 3), "the writer's text reads as another");
  }

  const Result<JsonBody> body = JsonBody::parse(text);
  check(body.status());
  if (!body.ok()) return 0;
  for (const char* key : {"cci", "info", "num_nodes", "force", "tag", "a"}) {
    const Result<std::string> value = body->text(key, "");
    check(value.status());
    if (value.ok()) fuzz::require(isUtf8(*value) && value->find('\0') == std::string::npos, "a text that is none");
    check(body->integer(key, 0).status());
    check(body->flag(key, false).status());
    check(body->texts(key, 100).status());
    check(body->words(key, 100).status());
  }
  return 0;
}

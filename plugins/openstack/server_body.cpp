// SPDX-License-Identifier: Apache-2.0
#include "server_body.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace openstack {
namespace {

using vcp::plugin::invalid;
using vcp::plugin::Json;

constexpr std::size_t kMostBytes = 8192;
constexpr std::size_t kMostMembers = 64;
constexpr int kMostLevels = 6;

constexpr std::array<std::string_view, 11> kOurs{"name",
                                                 "networks",
                                                 "user_data",
                                                 "imageRef",
                                                 "flavorRef",
                                                 "block_device_mapping_v2",
                                                 "block_device_mapping",
                                                 "min_count",
                                                 "max_count",
                                                 "adminPass",
                                                 "return_reservation_id"};

std::size_t countIn(const Json& value, int levels, const std::string& pointer) {
  if (!value.is_structured()) return 1;
  if (levels == 0) throw invalid(pointer, "is more than 6 levels deep");
  std::size_t count = 1;
  for (const Json& member : value) count += countIn(member, levels - 1, pointer);
  return count;
}

}  // namespace

void checkBounds(const Json& map, const std::string& pointer) {
  if (countIn(map, kMostLevels, pointer) > kMostMembers) throw invalid(pointer, "has more than 64 members");
  if (map.dump(-1, ' ', false, Json::error_handler_t::replace).size() > kMostBytes) {
    throw invalid(pointer, "has more than 8192 bytes");
  }
}

void checkServerBody(const Json& body, const std::string& pointer) {
  for (const auto& [key, value] : body.items()) {
    if (std::find(kOurs.begin(), kOurs.end(), key) != kOurs.end()) {
      throw invalid(pointer + "/" + key, "is what the driver itself writes; leave it out");
    }
    if (key != "metadata") continue;
    if (!value.is_object()) throw invalid(pointer + "/metadata", "must be a map");
    for (const auto& [name, text] : value.items()) {
      if (name.compare(0, 4, "vcp:") == 0 || !text.is_string()) {
        throw invalid(pointer + "/metadata/" + name, "must be a text, and names that begin with vcp: are reserved");
      }
    }
  }
}

void mergeInto(Json& body, const Json& more) {
  for (const auto& [key, value] : more.items()) {
    if (value.is_object() && body.contains(key) && body[key].is_object()) {
      mergeInto(body[key], value);
    } else {
      body[key] = value;
    }
  }
}

void checkTemplate(const std::string& text, const std::string& pointer) {
  const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
  if (!text.empty() && !has("{{user_data}}") && !has("{{user_data_base64}}") && !has("{{public_key}}")) {
    throw invalid(
        pointer,
        "needs {{user_data}}, {{user_data_base64}} or {{public_key}}: without it the controller cannot log in");
  }
}

std::string fillTemplate(const std::string& text, const UserData& values) {
  if (text.empty()) return values.text;
  const std::vector<std::pair<std::string, const std::string*>> words{
      {"{{user_data}}", &values.text}, {"{{user_data_base64}}", &values.base64},
      {"{{user}}", &values.user},      {"{{public_key}}", &values.public_key},
      {"{{name}}", &values.name},      {"{{display_name}}", &values.title},
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto word = std::find_if(words.begin(), words.end(),
                                   [&](const auto& one) { return text.compare(at, one.first.size(), one.first) == 0; });
    if (word == words.end()) {
      out += text[at++];
    } else {
      out += *word->second;  // what is filled in is not looked through again
      at += word->first.size();
    }
  }
  return out;
}

}  // namespace openstack

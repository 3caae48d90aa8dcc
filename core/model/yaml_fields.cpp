// SPDX-License-Identifier: Apache-2.0
#include "model/yaml_fields.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"

namespace vcc {

Result<YamlFields> YamlFields::of(const YamlValue& map, std::string path, bool none_is_unset) {
  static const YamlValue kEmpty = YamlValue::map();
  YamlFields fields(map, std::move(path), none_is_unset);
  if (fields.isUnset(map)) {
    fields.map_ = &kEmpty;
  } else if (!map.isMap()) {
    return invalidArgument(fmt::format("{}: this must be a map, but it is {}", fields.path_, map.kindName()));
  }
  return fields;
}

bool YamlFields::isUnset(const YamlValue& value) const {
  return value.isNull() || (none_is_unset_ && value.isScalar() && value.plain && value.text == "None");
}

bool YamlFields::has(std::string_view key) {
  read_.emplace(key);
  return map_->find(key) != nullptr;
}

const YamlValue* YamlFields::get(std::string_view key) {
  read_.emplace(key);
  const YamlValue* value = map_->find(key);
  return value == nullptr || isUnset(*value) ? nullptr : value;
}

Result<std::string> YamlFields::text(std::string_view key, std::string_view fallback) {
  const YamlValue* value = get(key);
  if (value == nullptr) return std::string(fallback);
  if (!value->isScalar()) return error(key, fmt::format("this must be a text, but it is {}", value->kindName()));
  return value->text;
}

Result<std::optional<std::int64_t>> YamlFields::number(std::string_view key, std::int64_t least, std::int64_t most) {
  if (get(key) == nullptr) return std::optional<std::int64_t>();
  VCC_ASSIGN_OR_RETURN(const std::string digits, text(key));
  std::int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const bool is_number = !digits.empty() && digits.size() <= 9 &&
                         digits.find_first_not_of("0123456789") == std::string::npos &&
                         std::from_chars(digits.data(), end, value).ec == std::errc();
  if (!is_number || value < least || value > most) {
    return error(key, fmt::format("this must be a whole number from {} to {}", least, most));
  }
  return std::optional<std::int64_t>(value);
}

Result<std::vector<std::string>> YamlFields::texts(std::string_view key) {
  std::vector<std::string> result;
  const YamlValue* value = get(key);
  if (value == nullptr) return result;
  if (!value->isList()) return error(key, fmt::format("this must be a list, but it is {}", value->kindName()));
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const YamlValue& item = value->items[i];
    if (isUnset(item)) return error(key, i, "this item of the list is empty");
    if (item.isMap()) {
      return error(key, i, "YAML reads this item as a map, because it holds \": \"; put the whole item in quotes");
    }
    if (!item.isScalar()) return error(key, i, fmt::format("this must be a text, but it is {}", item.kindName()));
    result.push_back(item.text);
  }
  return result;
}

Result<std::vector<std::string>> YamlFields::textOrTexts(std::string_view key) {
  const YamlValue* value = get(key);
  if (value != nullptr && value->isScalar()) return std::vector<std::string>{value->text};
  return texts(key);
}

Status YamlFields::error(std::string_view key, std::string_view cause) const {
  return invalidArgument(fmt::format("{}: {}", pathOf(key), cause));
}

Status YamlFields::error(std::string_view key, std::size_t index, std::string_view cause) const {
  return invalidArgument(fmt::format("{}[{}]: {}", pathOf(key), index, cause));
}

std::string YamlFields::pathOf(std::string_view key) const { return path_ + '.' + cleanUtf8(key, 64); }

std::vector<std::string> YamlFields::unread() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map_->members) {
    if (!read_.contains(key)) keys.push_back(key);
  }
  return keys;
}

}  // namespace vcc

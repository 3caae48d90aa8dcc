// SPDX-License-Identifier: Apache-2.0
#include "form.h"

#include "sigv4.h"

namespace ec2 {
namespace {

constexpr char kApiVersion[] = "2016-11-15";

std::string numbered(const std::string& name, std::size_t index) { return name + "." + std::to_string(index + 1); }

}  // namespace

Form& Form::set(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Form& Form::list(const std::string& name, const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) set(numbered(name, i), values[i]);
  return *this;
}

Form& Form::filter(const std::string& name, const std::vector<std::string>& values) {
  const std::string prefix = numbered("Filter", static_cast<std::size_t>(filters_++));
  return set(prefix + ".Name", name).list(prefix + ".Value", values);
}

Form& Form::tagged(const std::string& kind, const Tags& tags) {
  if (tags.empty()) return *this;
  const std::string prefix = numbered("TagSpecification", static_cast<std::size_t>(tag_specifications_++));
  set(prefix + ".ResourceType", kind);
  std::size_t i = 0;
  for (const auto& [key, value] : tags) {
    const std::string tag = numbered(prefix + ".Tag", i++);
    set(tag + ".Key", key).set(tag + ".Value", value);
  }
  return *this;
}

Form& Form::tags(const Tags& tags) {
  std::size_t i = 0;
  for (const auto& [key, value] : tags) {
    const std::string tag = numbered("Tag", i++);
    set(tag + ".Key", key).set(tag + ".Value", value);
  }
  return *this;
}

std::string Form::body() const {
  std::string out = "Action=" + percentEncode(action_) + "&Version=" + kApiVersion;
  for (const auto& [name, value] : fields_) out += "&" + percentEncode(name) + "=" + percentEncode(value);
  return out;
}

}  // namespace ec2

// SPDX-License-Identifier: Apache-2.0
#include "engine/spec_json.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>

#include <sstream>

namespace vcc {

namespace {

Result<Poco::JSON::Object::Ptr> parseObject(const std::string& text) {
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(64);
    return parser.parse(text).extract<Poco::JSON::Object::Ptr>();
  } catch (const Poco::Exception&) {
    return dataLoss("cloud_params of a record is not a JSON object");
  }
}

std::string print(const Poco::JSON::Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

}  // namespace

Result<SplitParams> splitSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys) {
  VCC_ASSIGN_OR_RETURN(Poco::JSON::Object::Ptr params, parseObject(cloud_params));
  Poco::JSON::Object secrets;
  for (const std::string& key : secret_keys) {
    if (!params->has(key)) continue;
    secrets.set(key, params->get(key));
    params->remove(key);
  }
  return SplitParams{print(*params), SecretString(print(secrets))};
}

std::string stringMember(const std::string& object, const std::string& key) {
  const auto parsed = parseObject(object);
  if (!parsed.ok() || !(*parsed)->has(key) || !(*parsed)->get(key).isString()) return {};
  return (*parsed)->getValue<std::string>(key);
}

Status checkSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys,
                    std::string_view token_head) {
  VCC_ASSIGN_OR_RETURN(Poco::JSON::Object::Ptr params, parseObject(cloud_params));
  for (const std::string& key : secret_keys) {
    if (!params->has(key) || !params->get(key).isString()) continue;
    const std::string value = params->getValue<std::string>(key);
    constexpr std::string_view kScheme = "vault://";
    if (value.starts_with(kScheme)) {
      return permissionDenied(
          fmt::format("{}:{} vault read is failed: this controller has no secret store; give the "
                      "value itself",
                      token_head, value.substr(kScheme.size(), 200)));
    }
  }
  return okStatus();
}

Result<std::string> machineRequest(const std::string& clear_params, const MachineLabels& labels,
                                   const MachineAccess& access) {
  VCC_ASSIGN_OR_RETURN(Poco::JSON::Object::Ptr params, parseObject(clear_params));
  Poco::JSON::Object tags;
  tags.set("vcc_id", labels.vcc_id);
  tags.set("vcid", labels.vcid);
  tags.set("vc_name", labels.vc_name);
  tags.set("unit_name", labels.unit_name);
  tags.set("owner", labels.owner);
  Poco::JSON::Object request;
  request.set("provider", labels.provider);
  request.set("cloud_params", params);
  request.set("labels", tags);
  Poco::JSON::Array keys;
  if (!access.public_key.empty()) keys.add(access.public_key);
  Poco::JSON::Object entrance;
  entrance.set("user", access.user);
  entrance.set("public_keys", keys);
  entrance.set("user_data", std::string());
  request.set("access", entrance);
  return print(request);
}

std::string loginUser(const std::string& cloud_params) {
  std::string user = stringMember(cloud_params, "user_name");
  return user.empty() ? std::string("ubuntu") : user;
}

}  // namespace vcc

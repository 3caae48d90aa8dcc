// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "vcp/plugin/cpp/json.h"

/// What a site adds to the request that makes a server: members of its body, and a frame around the user data. Checked
/// when the entry is read, used when the machine is made.
namespace openstack {

constexpr std::size_t kMaxTemplate = 32'768;  // bytes
constexpr std::size_t kMaxUserData = 65'535;  // of Nova, in base64

/// At most 8 KiB, 64 members and 6 levels; throws INVALID_ARGUMENT with `pointer`.
void checkBounds(const vcp::plugin::Json& map, const std::string& pointer);

/// A site's body may not touch what the driver itself puts there to find, reach and remove its machines.
void checkServerBody(const vcp::plugin::Json& body, const std::string& pointer);

/// Puts `more` into `body`: maps are merged, everything else is replaced.
void mergeInto(vcp::plugin::Json& body, const vcp::plugin::Json& more);

/// A template must let the controller in: {{user_data}}, {{user_data_base64}} or {{public_key}}.
void checkTemplate(const std::string& text, const std::string& pointer);

struct UserData {
  std::string text;    ///< the controller's own
  std::string base64;  ///< the same
  std::string user;
  std::string public_key;
  std::string name;
  std::string title;
};
/// The template with {{user_data}}, {{user_data_base64}}, {{user}}, {{public_key}}, {{name}} and {{display_name}}
/// filled in; without a template the controller's own text.
std::string fillTemplate(const std::string& text, const UserData& values);

}  // namespace openstack

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret_string.h"
#include "base/status.h"

/// The JSON that crosses from records to drivers. The only file of the engine that knows a JSON library.
namespace vcc {

/// `cloud_params` in two: what may be frozen into a machine record, and what only a call may carry.
struct SplitParams {
  std::string clear;         ///< JSON object without the secret keys
  SecretString credentials;  ///< JSON object of the secret keys
};
Result<SplitParams> splitSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys);

/// A text member of a JSON object; empty when it is missing, null or not a text.
std::string stringMember(const std::string& object, const std::string& key);

/// Refuses `vault://` references in secret keys, which this version cannot read: kPermissionDenied with the text of
/// spec/rest-protocol 12.4 (403).
Status checkSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys,
                    std::string_view token_head);

/// The frozen request of a machine, given to the driver's create: {"provider": "...", "cloud_params": {...}, "labels":
/// {...}, "access": {"user", "public_keys", "user_data"}}.
struct MachineLabels {
  std::string provider, vcc_id, vcid, vc_name, unit_name, owner;
};
/// How the controller will log in to the machine.
struct MachineAccess {
  std::string user;
  std::string public_key;  ///< one line; empty: none is let in
};
Result<std::string> machineRequest(const std::string& clear_params, const MachineLabels& labels,
                                   const MachineAccess& access);

/// The user of the controller on the machine: `user_name` of cloud_params, else `ubuntu`.
std::string loginUser(const std::string& cloud_params);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_string.h"
#include "base/status.h"

/// The JSON that crosses from records to drivers.
namespace vcc {

/// `cloud_params` in two: what may be frozen into a record, and the credentials, which only a grant holds.
struct SplitParams {
  std::string clear;     ///< JSON object without the secret keys
  SecretString named;    ///< JSON object of the secret keys: values, or references into the secret store
  bool has_any = false;  ///< `named` is not empty
};
/// Secret are the keys that the driver marks so, and every key that holds a `vault://` reference.
Result<SplitParams> splitSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys);

/// `clear` with the members of `values`, as a driver's validate wants to see them.
Result<SecretString> joinSecrets(const std::string& clear, const SecretString& values);

/// `cloud_params` for the record of the unit: references stay, plain credentials become a mask.
Result<std::string> maskSecrets(const std::string& cloud_params, const std::vector<std::string>& secret_keys);

/// A text member of a JSON object; empty when it is missing, null or not a text.
std::string stringMember(const std::string& object, const std::string& key);

/// The frozen request of a machine, given to the driver's create: {"provider": "...", "cloud_params": {...}, "labels":
/// {...}, "access": {"user", "public_keys", "user_data"}}; that of a disk has no access.
struct MachineLabels {
  std::string provider, vcc_id, vcid, vc_name, unit_name, owner;
};
/// How the controller will log in to the machine.
struct MachineAccess {
  std::string user;
  std::string public_key;  ///< one line; empty: none is let in
};
Result<std::string> machineRequest(const std::string& clear_params, const MachineLabels& labels,
                                   const std::optional<MachineAccess>& access);

/// The user of the controller on the machine: `user_name` of cloud_params, else `ubuntu`. Where it is a credential
/// (OpenStack), it names an account of the cloud and not one of the machine.
std::string loginUser(const std::string& cloud_params, const std::vector<std::string>& secret_keys);

}  // namespace vcc

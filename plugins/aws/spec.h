// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "form.h"
#include "vcp/plugin/cpp/json.h"

namespace ec2 {

/// Tags of our own; the prefix is refused to users.
constexpr char kTagPrefix[] = "vcp:";
constexpr char kTagController[] = "vcp:vcc";     ///< vcc_id: tells our objects from those of others
constexpr char kTagProvider[] = "vcp:provider";  ///< "aws", "aws_spot": tells the drivers of one controller apart
constexpr char kTagOp[] = "vcp:op";              ///< op id of the create: in the request that makes the object
constexpr char kTagName[] = "vcp:name";          ///< the minted name
constexpr char kTagTitle[] = "Name";             ///< what AWS's console shows

/// The two drivers are one code; this is where they differ.
enum class Market { kOnDemand, kSpot };

/// The administrator's entry: where the machines go.
struct Entry {
  std::string region;
  std::string subnet;
  std::vector<std::string> security_groups;
  std::string zone;                       ///< empty: the subnet's
  std::string endpoint;                   ///< "https://host[:port]", no slash at its end
  std::string default_image;              ///< id or name; empty: the rule of image.h
  std::vector<std::string> image_owners;  ///< whose images may be named, besides the account's own
};

/// A storage volume of a request, of a machine's root disk or of a data disk.
struct VolumeSpec {
  std::int64_t size_gib = 0;  ///< 0: as large as the image or snapshot
  std::string type;           ///< empty: AWS's choice
  std::int64_t iops = 0;      ///< 0: AWS's choice
};

struct MachineSpec {
  std::string instance_type;
  VolumeSpec root;
  std::string image;        ///< "default", an id, or a name
  Tags tags;                ///< the user's
  bool persistent = false;  ///< spot: comes back after an interruption
  std::string max_price;    ///< spot, USD an hour; empty: the on-demand price
};

struct DiskSpec {
  VolumeSpec volume;
  std::string snapshot;  ///< empty: blank; else an id, or the value of a tag `Name`
  Tags tags;
};

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};

// All of these throw INVALID_ARGUMENT with the JSON pointer of the bad value.

/// `evaluation`: plain http and loopback endpoints are allowed.
Entry parseEntry(std::string_view catalog_entry, bool evaluation);
MachineSpec parseMachine(const vcp::plugin::Json& cloud_params, Market market);
DiskSpec parseDisk(const vcp::plugin::Json& cloud_params);
Credentials parseCredentials(std::string_view credentials);

/// What only validate looks at, because create gets it otherwise: secrets that are missing, addresses, volumes.
void checkSecrets(const vcp::plugin::Json& cloud_params);
void checkAddresses(const vcp::plugin::Json& cloud_params);
void checkVolumes(const vcp::plugin::Json& cloud_params);

}  // namespace ec2

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "model/records.h"

/// Reading CCI documents: the YAML that the SDK formats by hand (spec/sdk-cci section 7).
namespace vcc {

/// Bounds of a CCI text (after base64). Larger or deeper texts are refused before they are walked.
struct CciLimits {
  std::size_t bytes = 2U << 20U;  ///< of the YAML text
  std::size_t depth = 16;
  std::size_t values = 20000;  ///< scalars, maps and lists together
  std::size_t scalar_bytes = 1U << 20U;
  std::int64_t nodes = 1000;  ///< num_nodes, and entries of an address list
};

/// One argument of execve, `NAME=value` with its final NUL, may not be longer than this (MAX_ARG_STRLEN of Linux).
inline constexpr std::size_t kEnvironmentItemBytes = 131072;

/// The document of POST /vcs and PUT /vcs/{vcid}.
struct VcCci {
  std::string name;
  std::string description;
  UnitKind kind = UnitKind::kCompute;
};

/// Options of `docker run` that a CCI may carry (spec/sdk-cci 7.4). A closed list: any other key is an error.
struct DockerOptions {
  std::vector<std::string> dns;
  std::vector<std::string> dns_search;
  std::vector<std::string> dns_opt;
  std::vector<std::string> add_host;  ///< name:ip
  std::string hostname;
  std::string gpus;
  bool operator==(const DockerOptions&) const = default;
};

/// The document of POST /vcs/{vcid}, after validation of everything that does not depend on the provider.
struct UnitCci {
  std::string name;  ///< empty when the text has a null (choices.md: use `unit_name` of the body)
  std::string description;
  std::string network = "default";     ///< private_network
  UnitKind kind = UnitKind::kCompute;  ///< storage when `num_disks` is present
  std::int64_t count = 1;              ///< num_nodes or num_disks
  bool count_given = false;
  std::string image;  ///< compute only
  DockerOptions docker_opt;
  std::vector<std::string> volumes;      ///< params.v, in order
  std::vector<std::string> environment;  ///< params.e, in order, NAME=value
  std::string user_init_command;         ///< base64 text as received, or empty (also taken from the unit level key)
  std::string provider;                  ///< cloud_provider
  std::vector<std::string> addresses;    ///< cloud_params.ip_address_list
  /// cloud_params as JSON text: every scalar is a string, Python `None` and YAML null are JSON null, Python repr
  /// lists and maps are JSON arrays and objects. `ip_address_list` is left in. Always a JSON object. Given to the
  /// driver's validate.
  std::string cloud_params = "{}";
  /// Keys that were ignored ("unit.foo"), the first 32, for one log line.
  std::vector<std::string> unknown_keys;
  bool operator==(const UnitCci&) const = default;
};

/// base64 -> YAML -> VcCci. kInvalidArgument names the field ("cci", "vc.name") and what is wrong. Pure.
Result<VcCci> parseVcCci(std::string_view base64, const CciLimits& limits = {});

/// base64 -> YAML -> UnitCci. kInvalidArgument names the field
/// ("info", "unit.params.e[2]"); kResourceExhausted when more nodes are asked for than `limits.nodes`. Pure.
Result<UnitCci> parseUnitCci(std::string_view base64, const CciLimits& limits = {});

/// `params.v` entry: host path or volume name (empty for an anonymous volume), path in the container, mode (may be
/// empty).
struct VolumeMount {
  std::string host;
  std::string container;
  std::string mode;
};
/// Splits and checks one entry; kInvalidArgument without the entry itself. No path of an accepted entry has "..".
Result<VolumeMount> parseVolume(std::string_view entry);

/// Makes `count` and `addresses` agree (spec/sdk-cci 7.8): node i gets address i. The SDK leaves num_nodes at 1 for
/// existing servers, so there the list counts (`list_counts`); elsewhere a list of another length is kInvalidArgument.
Status settleCount(UnitCci& cci, bool list_counts);

/// The UnitCci as JSON for `Unit::spec`, and back. A record that does not parse is kDataLoss.
std::string toJson(const UnitCci& cci);
Result<UnitCci> unitCciFromJson(std::string_view json);

/// What stands where a secret is not shown.
inline constexpr std::string_view kMask = "********";

/// The CCI text for `Unit.info` of the wire: YAML again, with the values of `params.e`, `docker_opt`,
/// `user_init_command` and of every `cloud_params` key not in `clear_keys` masked ("********"). `vault://`
/// references stay readable (choices.md).
std::string maskedInfo(const UnitCci& cci, const std::vector<std::string>& clear_keys);

/// True for a dotted IPv4 address without leading zeros.
bool isIpv4(std::string_view text);
/// The address as a number, network byte order turned to host order; call only when isIpv4.
std::uint32_t ipv4ToNumber(std::string_view text);
std::string ipv4FromNumber(std::uint32_t number);

/// An IPv4 range "192.168.1.0/24" (also "192.168.1.5/24").
struct Cidr {
  std::uint32_t base = 0;
  int prefix = 32;
  bool contains(std::uint32_t address) const;
  /// Host addresses only: without the network and the broadcast address for prefixes up to 30.
  std::uint32_t firstHost() const;
  std::uint32_t lastHost() const;
};
Result<Cidr> parseCidr(std::string_view text);

/// Unit and VC names: letters, digits, `_`, `-`, 1 to 64 characters for units; for VCs any printable UTF-8 up to 255
/// bytes.
Status checkUnitName(std::string_view name);
Status checkVcName(std::string_view name);

/// An image reference (the grammar of the OCI distribution reference: [host[:port]/]path[:tag][@digest]).
Status checkImageName(std::string_view image);

}  // namespace vcc

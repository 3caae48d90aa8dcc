// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vcc {

/// The version on the wire. Templates read it as YAML and demand `N.N.N[+suffix]` of at least 25.04.0, without letters
/// before the plus (spec/rest-protocol 13).
inline constexpr char kVersion[] = "26.11.0+20261123";
inline constexpr char kGitTag[] = "26.11.0";

}  // namespace vcc

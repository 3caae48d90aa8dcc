// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vcc {

/// The form in which a list inside a record (resources of a machine, items of an op) lies in one text column: compact
/// JSON, an array of arrays of strings, such as `[["nic","vcp-1-nic","eni-7"]]`. Any bytes survive, also such that are
/// no UTF-8: they come from clouds.
using TextLists = std::vector<std::vector<std::string>>;

std::string encodeTextLists(const TextLists& lists);
/// Nothing when `text` is not exactly of that form.
std::optional<TextLists> decodeTextLists(std::string_view text);

}  // namespace vcc

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vcc {

/// What an engine printed, fit for an error text: without the values of `environment` (NAME=value), which it likes to
/// quote back, well-formed, trimmed, at most 2 KiB.
std::string engineWords(std::string_view printed, const std::vector<std::string>& environment);

/// The error behind an engine's refusal, told from its words, which docker and podman choose differently; `otherwise`
/// for what is not known. The message is the words and, where one is known, a remedy.
Status engineRefusal(const std::string& words, Code otherwise);

/// "3 of 7 layers" from "3 7", the layers of an image that are there and that are known of; empty when none is known.
std::string layersText(std::string_view counts);

}  // namespace vcc

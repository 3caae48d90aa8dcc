// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vcc::cli {

/// Rows in columns, two spaces between; the first row is the heading. Control characters, which could command the
/// terminal, are shown as `?`.
std::string formatTable(const std::vector<std::vector<std::string>>& rows);

/// The same for rows that come in parts: a column is never narrower than in the parts before, which `widths` remembers.
std::string formatTable(const std::vector<std::vector<std::string>>& rows, std::vector<std::size_t>& widths);

/// `text` without control characters.
std::string printable(const std::string& text);

/// `text`, or "-" for none.
std::string orDash(const std::string& text);

/// `texts` with `separator` between, or "-" for none.
std::string joined(const std::vector<std::string>& texts, const char* separator = ", ");

}  // namespace vcc::cli

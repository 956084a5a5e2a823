// SPDX-License-Identifier: MIT
//
// Formats that are not read, told by their first bytes so that an error can say what to do.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace iqa_tool {

/** What the file is and which program makes it readable; "" for an unknown format. */
std::string advice_on(std::span<const std::byte> start);

} // namespace iqa_tool

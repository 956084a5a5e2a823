// SPDX-License-Identifier: MIT
// Formats that are recognised but not read, so that an error can say what to do.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace iqa_tool {

// The name of the format and a program that converts it; "" for an unknown format.
std::string advice_on(std::span<const std::byte> start);

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// Numbers to text and back, in the same form under every locale.
#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace iqa_tool {

// The shortest digits that read back as the same number; "inf", "-inf" or "nan".
inline std::string shortest(double value)
{
    if (std::isnan(value))
        return "nan";
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// A fixed number of digits after the point; "inf", "-inf" or "nan".
inline std::string fixed(double value, int digits)
{
    if (!std::isfinite(value))
        return shortest(value);
    char text[400];
    return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr};
}

template <typename number>
std::optional<number> parse_number(std::string_view text)
{
    number value{};
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// The one exception type: a status and a text. The text is built in a fixed buffer, so that failing needs no memory,
// and with to_chars, so that no locale changes a number.
#pragma once

#include <charconv>
#include <concepts>
#include <cstring>
#include <string_view>

#include "iqa_c.h"

namespace iqa {

class text {
public:
    text &operator<<(std::string_view part) noexcept
    {
        const size_t size = part.size() < capacity - size_ ? part.size() : capacity - size_;
        std::memcpy(data_ + size_, part.data(), size);
        size_ += size;
        data_[size_] = '\0';
        return *this;
    }

    text &operator<<(const char *part) noexcept { return *this << std::string_view(part); }

    template <class Number>
    requires std::integral<Number> || std::floating_point<Number> text &operator<<(Number number) noexcept
    {
        char digits[40];
        const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        return *this << std::string_view(digits, size_t(end - digits));
    }

    const char *c_str() const noexcept { return data_; }
    std::string_view view() const noexcept { return {data_, size_}; }

private:
    static constexpr size_t capacity = 383;
    char data_[capacity + 1] = {};
    size_t size_ = 0;
};

inline text &operator<<(text &out, const text &part) noexcept
{
    return out << part.view();
}

struct error {
    iqa_status status;
    text message;
};

// Throws a status with a text made of the parts.
template <class... Parts>
[[noreturn]] void fail(iqa_status status, const Parts &...parts)
{
    error failure{status, {}};
    (failure.message << ... << parts);
    throw failure;
}

} // namespace iqa

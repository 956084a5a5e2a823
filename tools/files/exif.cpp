// SPDX-License-Identifier: MIT
#include "files/exif.hpp"

namespace iqa_tool {

namespace {

constexpr std::size_t entry_size = 12;
constexpr uint16_t orientation_tag = 274;
enum type { type_short = 3, type_long = 4, type_undefined = 7 };

} // namespace

exif_directory::exif_directory(std::span<const std::byte> bytes) noexcept : bytes_(bytes)
{
    const bool is_little_endian = read(bytes_, 0, 2) == 0x4949;
    is_big_endian_ = read(bytes_, 0, 2) == 0x4d4d;
    if ((!is_little_endian && !is_big_endian_) || read(bytes_, 2, 2) != 42)
        bytes_ = {};
}

uint32_t exif_directory::read(std::span<const std::byte> from, std::size_t position, std::size_t size) const noexcept
{
    if (position > from.size() || from.size() - position < size)
        return 0;
    uint32_t value = 0;
    for (std::size_t index = 0; index < size; ++index)
        value = value << 8 | std::to_integer<uint32_t>(from[position + (is_big_endian_ ? index : size - 1 - index)]);
    return value;
}

std::optional<exif_directory::entry> exif_directory::find(uint16_t tag) const noexcept
{
    const std::size_t start = read(bytes_, 4, 4);
    const std::size_t entries = read(bytes_, start, 2);
    for (std::size_t index = 0; index < entries; ++index) {
        const std::size_t at = start + 2 + index * entry_size;
        if (at + entry_size > bytes_.size())
            break;
        if (read(bytes_, at, 2) == tag)
            return entry{read(bytes_, at + 2, 2), read(bytes_, at + 4, 4), at + 8};
    }
    return std::nullopt;
}

std::optional<uint32_t> exif_directory::number(uint16_t tag) const noexcept
{
    const std::optional<entry> found = find(tag);
    if (!found || found->count != 1 || (found->type != type_short && found->type != type_long))
        return std::nullopt;
    return read(bytes_, found->value_at, found->type == type_short ? 2 : 4);
}

std::span<const std::byte> exif_directory::content(uint16_t tag) const noexcept
{
    const std::optional<entry> found = find(tag);
    if (!found || found->type != type_undefined || found->count <= 4)
        return {};
    const std::size_t start = read(bytes_, found->value_at, 4);
    if (start > bytes_.size() || bytes_.size() - start < found->count)
        return {};
    return bytes_.subspan(start, found->count);
}

int32_t exif_orientation(std::span<const std::byte> exif) noexcept
{
    const uint32_t value = exif_directory(exif).number(orientation_tag).value_or(1);
    return value >= 1 && value <= 8 ? static_cast<int32_t>(value) : 1;
}

} // namespace iqa_tool

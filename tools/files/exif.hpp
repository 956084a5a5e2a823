// SPDX-License-Identifier: MIT
// TIFF directories in memory, as EXIF blocks and the MPF index of JPEG files have them. No byte outside the block is
// read; a damaged entry counts as missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace iqa_tool {

class exif_directory {
public:
    // The bytes start with "II" or "MM".
    explicit exif_directory(std::span<const std::byte> bytes) noexcept;

    // The value of a tag with a single number.
    std::optional<uint32_t> number(uint16_t tag) const noexcept;
    // The bytes of a tag of undefined content; empty without such a tag.
    std::span<const std::byte> content(uint16_t tag) const noexcept;
    // An unsigned number of 2 or 4 bytes, in the order of the directory; 0 beyond the end.
    uint32_t read(std::span<const std::byte> from, std::size_t position, std::size_t size) const noexcept;

private:
    struct entry {
        uint32_t type, count;
        std::size_t value_at;
    };
    std::optional<entry> find(uint16_t tag) const noexcept;

    std::span<const std::byte> bytes_;
    bool is_big_endian_ = false;
};

// The turn that makes a picture upright: EXIF's tag 274, 1 to 8; 1 (none) without it.
int32_t exif_orientation(std::span<const std::byte> exif) noexcept;

} // namespace iqa_tool

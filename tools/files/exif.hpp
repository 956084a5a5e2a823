// SPDX-License-Identifier: MIT
//
// The directory of numbers that EXIF blocks and the MPF index of JPEG files have: that of TIFF, in memory. Nothing
// outside the bytes is ever read, and what is damaged is as if it were not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace iqa_tool {

class exif_directory {
public:
    /** The bytes start with "II" or "MM". */
    explicit exif_directory(std::span<const std::byte> bytes) noexcept;

    /** The value of a tag that has one number. */
    std::optional<uint32_t> number(uint16_t tag) const noexcept;
    /** The bytes of a tag of undefined content; none where there is no such tag. */
    std::span<const std::byte> content(uint16_t tag) const noexcept;
    /** An unsigned number of 2 or 4 bytes, in the order of the directory; 0 beyond the end. */
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

/** How a picture has to be turned to stand upright, 1 to 8, as EXIF's tag 274 says; 1, not at all, where it does not.
 */
int32_t exif_orientation(std::span<const std::byte> exif) noexcept;

} // namespace iqa_tool

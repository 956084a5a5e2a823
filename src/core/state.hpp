// SPDX-License-Identifier: MIT
// A state as bytes: little-endian, no padding, the same on every machine. docs/reference/abi.md has the format.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace iqa {

constexpr uint16_t state_version = 1;

// Writes numbers one after another into a buffer that is large enough.
class byte_writer {
public:
    explicit byte_writer(std::span<std::byte> out) noexcept : out_(out) {}

    template <class Number>
    void put(Number number) noexcept
    {
        static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);
        std::byte *const bytes = out_.data() + position_;
        std::memcpy(bytes, &number, sizeof number);
        if constexpr (std::endian::native == std::endian::big)
            std::reverse(bytes, bytes + sizeof number);
        position_ += sizeof number;
    }

    void put_bytes(std::span<const std::byte> bytes) noexcept
    {
        std::memcpy(out_.data() + position_, bytes.data(), bytes.size());
        position_ += bytes.size();
    }

    size_t position() const noexcept { return position_; }

private:
    std::span<std::byte> out_;
    size_t position_ = 0;
};

// Reads numbers back. Throws IQA_ERROR_CORRUPT at the end of the bytes.
class byte_reader {
public:
    explicit byte_reader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

    template <class Number>
    Number get()
    {
        const std::span<const std::byte> part = take(sizeof(Number));
        unsigned char bytes[sizeof(Number)];
        for (size_t i = 0; i < sizeof(Number); ++i)
            bytes[std::endian::native == std::endian::little ? i : sizeof(Number) - 1 - i] =
                std::to_integer<unsigned char>(part[i]);
        Number number;
        std::memcpy(&number, bytes, sizeof number);
        return number;
    }

    std::span<const std::byte> take(size_t size);
    size_t remaining() const noexcept { return bytes_.size(); }
    void expect_end(const char *name) const;

private:
    std::span<const std::byte> bytes_;
};

// A checked state file, cut into its parts.
struct state_parts {
    uint16_t kind; // of a metric
    std::span<const std::byte> options;
    std::span<const std::byte> lanes;
};

size_t state_size(size_t options, size_t lanes) noexcept;
void write_state(std::span<std::byte> out, uint16_t kind, std::span<const std::byte> options,
                 std::span<const int64_t> lanes) noexcept;
state_parts read_state(std::span<const std::byte> bytes);

// FNV-1a: the hash of nothing, and one step.
constexpr uint64_t hash_of_nothing = 0xcbf29ce484222325u;
constexpr uint64_t hash_with(uint64_t hash, uint64_t number) noexcept
{
    return (hash ^ number) * 0x100000001b3u;
}

// Equal for states that may be merged: FNV-1a of format version, kind and options, in their bytes of a state file.
uint64_t fingerprint(uint16_t kind, std::span<const std::byte> options) noexcept;

// CRC-32 as in zlib, so that any language can check a file.
uint32_t checksum(std::span<const std::byte> bytes) noexcept;

} // namespace iqa

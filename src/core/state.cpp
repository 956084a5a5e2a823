// SPDX-License-Identifier: MIT
#include "core/state.hpp"

#include <array>

#include "core/error.hpp"

namespace iqa {

namespace {

constexpr uint32_t magic = 0x53415149; // "IQAS"
constexpr size_t header_size = 4 + 2 + 2 + 4 + 4;
constexpr size_t checksum_size = 4;

constexpr std::array<uint32_t, 256> make_table()
{
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ (value & 1 ? 0xedb88320u : 0u);
        table[i] = value;
    }
    return table;
}

constexpr std::array<uint32_t, 256> table = make_table();

} // namespace

uint32_t checksum(std::span<const std::byte> bytes) noexcept
{
    uint32_t value = 0xffffffffu;
    for (const std::byte byte : bytes)
        value = (value >> 8) ^ table[(value ^ std::to_integer<uint32_t>(byte)) & 0xff];
    return ~value;
}

uint64_t fingerprint(uint16_t kind, std::span<const std::byte> options) noexcept
{
    std::array<std::byte, sizeof state_version + sizeof kind> header;
    byte_writer writer(header);
    writer.put(state_version);
    writer.put(kind);
    uint64_t value = hash_of_nothing;
    for (const std::span<const std::byte> part : {std::span<const std::byte>(header), options})
        for (const std::byte byte : part)
            value = hash_with(value, std::to_integer<uint64_t>(byte));
    return value;
}

std::span<const std::byte> byte_reader::take(size_t size)
{
    if (size > bytes_.size())
        fail(IQA_ERROR_CORRUPT, "the state ends early: ", size, " bytes expected, ", bytes_.size(), " left");
    const std::span<const std::byte> part = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return part;
}

void byte_reader::expect_end(const char *name) const
{
    if (!bytes_.empty())
        fail(IQA_ERROR_CORRUPT, "the ", name, " of the state have ", bytes_.size(), " bytes too many");
}

size_t state_size(size_t options, size_t lanes) noexcept
{
    return header_size + options + lanes * sizeof(int64_t) + checksum_size;
}

void write_state(std::span<std::byte> out, uint16_t kind, std::span<const std::byte> options,
                 std::span<const int64_t> lanes) noexcept
{
    byte_writer writer(out);
    writer.put(magic);
    writer.put(state_version);
    writer.put(kind);
    writer.put(static_cast<uint32_t>(options.size()));
    writer.put(static_cast<uint32_t>(lanes.size()));
    writer.put_bytes(options);
    for (const int64_t lane : lanes)
        writer.put(lane);
    writer.put(checksum(out.first(writer.position())));
}

state_parts read_state(std::span<const std::byte> bytes)
{
    if (bytes.size() < header_size + checksum_size)
        fail(IQA_ERROR_CORRUPT, "the state has ", bytes.size(), " bytes; expected at least ",
             header_size + checksum_size);
    byte_reader reader(bytes);
    if (reader.get<uint32_t>() != magic)
        fail(IQA_ERROR_CORRUPT, "the bytes do not begin with IQAS: no state of this library");
    const uint16_t version = reader.get<uint16_t>();
    if (version != state_version)
        fail(IQA_ERROR_INCOMPATIBLE, "the state has format version ", version, "; this library reads version ",
             state_version);
    const uint16_t kind = reader.get<uint16_t>();
    const size_t options = reader.get<uint32_t>();
    const size_t lanes = reader.get<uint32_t>();
    if (state_size(options, lanes) != bytes.size())
        fail(IQA_ERROR_CORRUPT, "the state has ", bytes.size(), " bytes but announces ", state_size(options, lanes));
    byte_reader tail(bytes.last(checksum_size));
    if (tail.get<uint32_t>() != checksum(bytes.first(bytes.size() - checksum_size)))
        fail(IQA_ERROR_CORRUPT, "the state's checksum does not match: its bytes were altered");
    const std::span<const std::byte> option_bytes = reader.take(options);
    return {kind, option_bytes, reader.take(lanes * sizeof(int64_t))};
}

} // namespace iqa

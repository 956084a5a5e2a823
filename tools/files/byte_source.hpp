// SPDX-License-Identifier: MIT
// Sequential bytes: from a file, or unpacked from an archive.
#pragma once

#include "files/input_file.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace iqa_tool {

class byte_source {
public:
    byte_source() = default;
    byte_source(const byte_source &) = delete;
    byte_source &operator=(const byte_source &) = delete;
    virtual ~byte_source() = default;

    // The number of bytes by the file system or the archive.
    virtual uint64_t size() const = 0;

    // The next bytes; fewer than wanted only at the end. Throws image_error.
    virtual std::size_t read(std::span<std::byte> out) = 0;

    // Fills all of `out`. Throws image_error at an early end.
    void fill(std::span<std::byte> out);

    // Throws image_error where more bytes follow, or where an archive's checksum does not match.
    void expect_end();
};

// A regular file.
class file_source : public byte_source {
public:
    explicit file_source(const std::string &path);
    // A nameless temporary file with the remaining bytes of `from`, at most `most_bytes`.
    static std::unique_ptr<file_source> copy_of(byte_source &from, uint64_t most_bytes);

    uint64_t size() const override { return size_; }
    std::size_t read(std::span<std::byte> out) override;

    // Fills all of `out` from `position` on.
    void fill_at(uint64_t position, std::span<std::byte> out);

private:
    explicit file_source(file_handle file);

    file_handle file_;
    uint64_t size_ = 0;
};

} // namespace iqa_tool

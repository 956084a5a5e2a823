// SPDX-License-Identifier: MIT
// The header of NumPy's .npy format, versions 1 to 3, as numpy.lib.format documents it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace iqa_tool {

struct npy_header {
    int32_t dtype = 0;              // IQA_UINT8, ...
    bool has_foreign_bytes = false; // the elements' byte order is not the machine's
    bool is_fortran_order = false;  // the first axis is the densest
    std::vector<int64_t> shape;     // none is negative
    std::size_t size = 0;           // bytes before the first element
};

// The bytes of a file that npy_header_size() needs.
constexpr std::size_t npy_prefix_size = 12;

// The size of the header in bytes, from the first bytes of the file. Throws image_error.
std::size_t npy_header_size(std::span<const std::byte> prefix);

// `file` may end behind the header. Throws image_error.
npy_header decode_npy_header(std::span<const std::byte> file);

// The header of version 1 for an array in C order of native bytes.
std::string encode_npy_header(int32_t dtype, std::span<const int64_t> shape);

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// Files of features for `iqa fid`: rows of numbers, mean and covariance of such rows, or a state of the library. Rows
// are read in blocks, so that a file may be larger than the memory.
#pragma once

#include "files/image.hpp"
#include "files/npy_header.hpp"
#include "files/npz.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string>
#include <vector>

namespace iqa_tool {

enum class feature_kind {
    rows,       // tables [N, D]: .npy, .npz, raw float32
    statistics, // mean `mu` [D] and covariance `sigma` [D, D]: .npz
    state,      // iqa_metric_serialize()
    picture     // features are made of it; nothing of the file is looked at before
};

// A table of rows: a file, or one array of an archive.
struct feature_table {
    std::string array; // its name in the archive; "" where the file is no archive
    npy_header header; // made up for a raw file

    int64_t rows() const noexcept { return header.shape[0]; }
};

// Where features come from, as iqa_fid_options has it.
struct feature_origin {
    uint64_t weights = 0; // 0: not stated
    int32_t layer = 0;    // IQA_LAYER_...
    int32_t resize = 0;   // IQA_RESIZE_...

    bool operator==(const feature_origin &) const = default;
    bool is_stated() const noexcept { return weights != 0; }
    // As JSON and the array `origin` of statistics files have it.
    nlohmann::ordered_json as_json() const;
    // "weights 648e8eb2b687a548, layer 2048, resize clean"
    std::string text() const;
};

// The content of a file by its headers.
struct feature_file {
    std::string path;
    const char *format = ""; // "npy", ...
    feature_kind kind = feature_kind::rows;
    int64_t features = 0;              // D
    std::vector<feature_table> tables; // of rows
    int32_t fraction_bits = 0;         // of a state: the grid
    int32_t word_bits = 0;
    feature_origin origin; // of a state, of statistics, of pictures

    // The rows of all tables.
    int64_t rows() const noexcept;
};

struct feature_options {
    int64_t dims = 0;  // D; 0: by the files' headers, which raw files lack
    std::string array; // the array to read from .npz files; "": every array
};

// Reads the headers of a file and checks them against its size. The content decides the kind, not the name. Throws
// image_error.
feature_file inspect_features(const std::string &path, const feature_options &options);

// Calls `take` with each block of rows and the number of its first row in the file. Integers arrive as float32.
// Throws image_error.
void read_rows(const feature_file &file, const std::function<void(const iqa_tensor &, int64_t)> &take);

// An array in memory.
class loaded_array {
public:
    loaded_array() = default;
    loaded_array(npy_header header, byte_buffer elements);

    // Valid until this object is moved or destroyed.
    iqa_tensor tensor() const noexcept;
    std::span<const std::byte> bytes() const noexcept { return elements_.bytes(); }

private:
    npy_header header_;
    byte_buffer elements_;
    std::vector<int64_t> strides_;
};

struct feature_statistics {
    loaded_array mean, covariance;
};

// Reads an array of an archive, of an element type and at most so many bytes. Throws image_error.
loaded_array read_array(const npz_archive &archive, const std::string &name, int32_t dtype, uint64_t most_bytes);

// Reads a file of statistics. Throws image_error.
feature_statistics read_statistics(const feature_file &file);

// What the options of a state with an origin take more than those of one without.
constexpr std::size_t state_origin_size = 16;

// The bytes of a state, at most as many as its options allow. Throws image_error.
byte_buffer read_state(const feature_file &file, std::size_t most_bytes);

} // namespace iqa_tool

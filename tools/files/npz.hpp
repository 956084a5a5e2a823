// SPDX-License-Identifier: MIT
// NumPy's .npz format: a zip archive with a .npy file for each array, stored or deflated. libzip reads and writes it.
#pragma once

#include "files/byte_source.hpp"

#include <iqa_c.h>

#include <ostream>
#include <string>
#include <vector>

struct zip;

namespace iqa_tool {

class npz_archive {
public:
    // Throws image_error if the file is no zip archive.
    explicit npz_archive(const std::string &path);

    // The names of the arrays, in the order of the archive. Other files in it are ignored.
    std::vector<std::string> names() const;

    // The bytes of an array's .npy file. The archive must outlive it.
    std::unique_ptr<byte_source> open(const std::string &name) const;

private:
    struct closer {
        void operator()(zip *archive) const noexcept;
    };

    std::unique_ptr<zip, closer> archive_;
};

// A compact array to write.
struct npz_array {
    std::string name;
    iqa_tensor elements;
};

// Writes an archive of stored arrays, the same bytes at any time. Throws image_error.
void write_npz(std::ostream &out, const std::vector<npz_array> &arrays);

} // namespace iqa_tool

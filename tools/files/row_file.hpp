// SPDX-License-Identifier: MIT
// A .npy file of float32 rows that come one after another; how many, it says when it is finished.
#pragma once

#include "files/output_file.hpp"

#include <iqa_c.h>

#include <cstdint>
#include <string>

namespace iqa_tool {

class row_file {
public:
    // Throws file_error.
    row_file(const std::string &path, int64_t columns);

    // A compact table of such rows.
    void add(const iqa_tensor &table);
    // Makes the file appear under its name.
    void finish();

private:
    std::string header() const;

    output_file file_;
    int64_t rows_ = 0, columns_;
};

} // namespace iqa_tool

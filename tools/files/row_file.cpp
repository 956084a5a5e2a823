// SPDX-License-Identifier: MIT
#include "files/row_file.hpp"

#include "files/npy_header.hpp"

#include <array>

namespace iqa_tool {

row_file::row_file(const std::string &path, int64_t columns) : file_(path), columns_(columns)
{
    file_.stream() << header(); // as long as the one that takes its place
}

void row_file::add(const iqa_tensor &table)
{
    file_.stream().write(static_cast<const char *>(table.data),
                         table.shape[0] * columns_ * static_cast<std::streamsize>(sizeof(float)));
    rows_ += table.shape[0];
    file_.flush();
}

void row_file::finish()
{
    file_.stream().seekp(0);
    file_.stream() << header();
    file_.finish();
}

// Padded to 128 bytes for any number of rows.
std::string row_file::header() const
{
    return encode_npy_header(IQA_FLOAT32, std::array{rows_, columns_});
}

} // namespace iqa_tool

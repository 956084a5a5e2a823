// SPDX-License-Identifier: MIT
// The sum of the singular values of a matrix, in a fixed order of operations.
#pragma once

#include "cpu/features/product.hpp"

namespace iqa {

struct nuclear_norm_request {
    matrix k; // rows x columns, rows >= columns >= 1; zero up to padded rows and columns; destroyed
    int64_t rows, columns;
    double *memory; // nuclear_norm_memory() doubles
};

size_t nuclear_norm_memory(int64_t rows, int64_t columns);

// NaN when the call was cancelled.
double nuclear_norm(crew &team, const fid_kernels &kernels, multiplier &product, const nuclear_norm_request &request,
                    int64_t progress_before, int64_t progress_total);

} // namespace iqa

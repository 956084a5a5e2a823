// SPDX-License-Identifier: MIT
// The sum of the singular values of a matrix, in a fixed order of operations.
#pragma once

#include "cpu/features/product.hpp"

namespace iqa {

struct nuclear_norm_request {
    matrix_ref k;   // rows >= columns >= 1; in memory zero up to padded rows and columns; destroyed
    double *memory; // nuclear_norm_memory() doubles, aligned to a cache line
};

size_t nuclear_norm_memory(int64_t rows, int64_t columns);

// NaN if the call was cancelled.
double nuclear_norm(crew &team, const fid_kernels &kernels, multiplier &product, nuclear_norm_request request,
                    int64_t progress_before, int64_t progress_total);

} // namespace iqa

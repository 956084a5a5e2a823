// SPDX-License-Identifier: MIT
// Matrix products in a fixed order.
#pragma once

#include "arith/matrix.h"
#include "core/crew.hpp"
#include "cpu/features/kernels.hpp"

namespace iqa {

class multiplier {
public:
    multiplier(context &where, const fid_kernels &kernels, int64_t most_rows);

    void run(crew &team, const matrix_product &request);

private:
    void pack(crew &team, const matrix_product &request, int64_t from, int depth);
    void multiply_packed(crew &team, const matrix_product &request, int depth, bool add);
    void multiply_block(const matrix_product &request, int64_t row_block, int64_t column_block, int depth, bool add);

    const fid_kernels &kernels_;
    scratch memory_;
    double *packed_a_;
    double *packed_b_;
};

} // namespace iqa

// SPDX-License-Identifier: MIT
// Matrix products in a fixed order.
#pragma once

#include "arith/matrix.h"
#include "core/crew.hpp"
#include "core/matrix.hpp"
#include "cpu/features/kernels.hpp"

namespace iqa {

// The part of a product that is wanted. With `lower`, elements above the diagonal are unspecified.
enum class part { whole, lower };

class multiplier {
public:
    multiplier(context &where, const fid_kernels &kernels, int64_t most_rows);

    // c = a b^T
    template <class A, class B>
    void assign(crew &team, const A &a, const B &b, matrix_ref c, part wanted = part::whole)
    {
        run(team, request_for(a, b, c, false, wanted));
    }

    // c = c - a b^T
    template <class A, class B>
    void subtract(crew &team, const A &a, const B &b, matrix_ref c, part wanted = part::whole)
    {
        run(team, request_for(a, b, c, true, wanted));
    }

private:
    template <class A, class B>
    static matrix_product request_for(const A &a, const B &b, matrix_ref &c, bool subtract, part wanted)
    {
        return {.a = {a.data(), a.outerStride(), A::IsRowMajor},
                .b = {b.data(), b.outerStride(), B::IsRowMajor},
                .c = {c.data(), c.outerStride()},
                .rows = c.rows(),
                .columns = c.cols(),
                .depth = a.cols(),
                .subtract = subtract,
                .lower_only = wanted == part::lower};
    }

    void run(crew &team, const matrix_product &request);
    void pack(crew &team, const matrix_product &request, int64_t from, int depth);
    void multiply_packed(crew &team, const matrix_product &request, int depth, bool add);
    void multiply_block(const matrix_product &request, int64_t row_block, int64_t column_block, int depth, bool add);

    const fid_kernels &kernels_;
    scratch memory_;
    double *packed_a_;
    double *packed_b_;
};

} // namespace iqa

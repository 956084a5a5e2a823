// SPDX-License-Identifier: MIT
// Matrix products in a fixed order.
#pragma once

#include "arith/matrix.h"
#include "core/crew.hpp"
#include "core/matrix.hpp"
#include "cpu/features/kernels.hpp"

namespace iqa {

// Of a product. What lies above the diagonal may or may not be computed where only the lower triangle is asked for.
enum class part { whole, lower };

class multiplier {
public:
    multiplier(context &where, const fid_kernels &kernels, int64_t most_rows);

    // c = a b^T
    template <class A, class B>
    void assign(crew &team, const A &a, const B &b, matrix_ref c, part of = part::whole)
    {
        run(team, request_for(a, b, c, false, of));
    }

    // c = c - a b^T
    template <class A, class B>
    void subtract(crew &team, const A &a, const B &b, matrix_ref c, part of = part::whole)
    {
        run(team, request_for(a, b, c, true, of));
    }

private:
    template <class A, class B>
    static matrix_product request_for(const A &a, const B &b, matrix_ref &c, bool subtract, part of)
    {
        return {.a = {a.data(), a.outerStride(), A::IsRowMajor},
                .b = {b.data(), b.outerStride(), B::IsRowMajor},
                .c = {c.data(), c.outerStride()},
                .rows = c.rows(),
                .columns = c.cols(),
                .depth = a.cols(),
                .subtract = subtract,
                .lower_only = of == part::lower};
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

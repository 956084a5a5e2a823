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

// The zeros of both operands: step k has elements in rows 0 ... a[k] of A and 0 ... b[k] of B only. NULL: everywhere.
struct operand_ends {
    const int64_t *a, *b;
};

class multiplier {
public:
    multiplier(context &where, const fid_kernels &kernels, int64_t most_rows);

    // c = a b^T. Steps that would add zeros alone are left out, which changes no bit.
    template <class A, class B>
    void assign(crew &team, const A &a, const B &b, matrix_ref c, part wanted = part::whole, operand_ends ends = {})
    {
        run(team, request_for(a, b, c, false, wanted), ends);
    }

    // c = c - a b^T
    template <class A, class B>
    void subtract(crew &team, const A &a, const B &b, matrix_ref c, part wanted = part::whole)
    {
        run(team, request_for(a, b, c, true, wanted), {});
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

    // The steps from `from` on that are one chain of each element.
    struct chain {
        int64_t from;
        int depth;
        operand_ends ends;
        bool add;
    };

    void run(crew &team, const matrix_product &request, operand_ends ends);
    void pack(crew &team, const matrix_product &request, const chain &steps);
    void multiply_packed(crew &team, const matrix_product &request, const chain &steps);
    void multiply_block(const matrix_product &request, const chain &steps, int64_t row_block, int64_t column_block);

    const fid_kernels &kernels_;
    scratch memory_;
    double *packed_a_;
    double *packed_b_;
};

} // namespace iqa

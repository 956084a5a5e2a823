// SPDX-License-Identifier: MIT
// Eigen's vocabulary for matrices on the host: views of the context's memory, which own and allocate nothing.
//
// Allowed: views and blocks (col, row, head, segment, tail, corners, transpose, diagonal, triangularView), copies,
// swap, setZero, casts, element-wise arithmetic, and the values of minCoeff and maxCoeff, which do not depend on order.
// For the index of the largest element, std::max_element finds the first of equals.
// Not allowed: products, dot, sum, mean, norm, trace, decompositions. Their bits depend on the instruction set, and
// those of products also on cache sizes (docs/design/decisions/0033-eigen-has-the-words.md). Sums and products are
// kernels of one written order. A product does not compile, and scripts/house.py refuses the others.
//
// Only for .cpp files without instruction set flags: the linker keeps one of several equal inline functions.
#pragma once

#include <stdint.h>

#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE // threads come from the context
#define EIGEN_NO_MALLOC        // and so does memory
#include <Eigen/Core>

#include "arith/portable.h"

namespace iqa {

// Whole vectors and matrices, column after column, aligned to a cache line.
using vector_view = Eigen::Map<Eigen::VectorXd, Eigen::Aligned64>;
using matrix_view = Eigen::Map<Eigen::MatrixXd, Eigen::Aligned64, Eigen::OuterStride<>>;
using index_view = Eigen::Map<Eigen::Matrix<int64_t, Eigen::Dynamic, 1>, Eigen::Aligned64>;
// Row after row, anywhere.
using rows_view = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
// Blocks of columns, for arguments.
using matrix_ref = Eigen::Ref<Eigen::MatrixXd>;

template <class Left, class Right>
void operator*(const Eigen::MatrixBase<Left> &, const Eigen::MatrixBase<Right> &) = delete;

// Cuts a block of memory into vectors and matrices, one behind another.
class slices {
public:
    explicit slices(double *memory) : next_(memory) {}

    double *take(int64_t count)
    {
        constexpr int64_t of_cache_line = 64 / sizeof(double);
        double *const slice = next_;
        next_ += round_up(count, of_cache_line);
        return slice;
    }
    vector_view vector(int64_t length) { return {take(length), length}; }
    matrix_view matrix(int64_t rows, int64_t columns)
    {
        return {take(rows * columns), rows, columns, Eigen::OuterStride<>(rows)};
    }
    index_view indices(int64_t length)
    {
        static_assert(sizeof(int64_t) == sizeof(double));
        return {reinterpret_cast<int64_t *>(take(length)), length};
    }

private:
    double *next_;
};

} // namespace iqa

// SPDX-License-Identifier: MIT
// Eigen as the words for matrices on the host: views of memory that the context gave, which own and allocate nothing.
//
// May be used: views and blocks (col, row, head, segment, tail, corners, transpose, diagonal, triangularView), copies,
// swap, setZero, casts, arithmetic by elements, and the values of minCoeff and maxCoeff, which no order changes. Where
// the place of the largest matters, std::max_element finds the first of equals.
// May not: products, dot, sum, mean, norm, trace, decompositions. Their bits follow from the instruction set, and those
// of products from the size of a cache as well (docs/design/decisions/0033-eigen-has-the-words.md). Sums and products
// are kernels of one written order. A product does not compile, and scripts/house.py refuses the others.
//
// For .cpp files without flags of an instruction set: the linker keeps one of several equal inline functions.
#pragma once

#include <stdint.h>

#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE // threads are the context's
#define EIGEN_NO_MALLOC        // and so is memory
#include <Eigen/Core>

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
        next_ += (count + of_cache_line - 1) / of_cache_line * of_cache_line;
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

// SPDX-License-Identifier: MIT
// S = L L^T for a covariance that may be singular.
#pragma once

#include "cpu/features/product.hpp"

namespace iqa {

struct cholesky_request {
    matrix_ref s;           // order x order, lower triangle; padded rows in memory; destroyed
    matrix_view l;          // padded rows x order or more; its first `rank` columns on return, by feature
    int64_t most_rank;      // a bound of the rank: rows of features - 1
    vector_view diagonal;   // [order] working memory
    index_view permutation; // [order] working memory

    int64_t order() const { return s.cols(); }
};

struct cholesky_result {
    int64_t rank;       // -1 if the call was cancelled
    double least_pivot; // the smallest of the remaining diagonal elements; 0 at full rank
};

// Cholesky with complete pivoting (N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 10.3), stopped at
// the numerical rank, which is returned; -1 if the call was cancelled. A pivot of at most order * 2^-53 times the
// largest diagonal element is rounding noise: stopping there keeps a null space out of the trace term.
cholesky_result pivoted_cholesky(crew &team, const fid_kernels &kernels, multiplier &product, cholesky_request request,
                                 int64_t progress_before, int64_t progress_total);

} // namespace iqa

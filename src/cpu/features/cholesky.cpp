// SPDX-License-Identifier: MIT
#include "cpu/features/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "arith/portable.h"

namespace iqa {

namespace {

constexpr int64_t rows_per_item = 256;

// Swaps features `a` and `b`, a < b, in the lower triangle, from column `first` on.
void swap_features(cholesky_request &request, int64_t first, int64_t a, int64_t b)
{
    matrix_ref &s = request.s;
    std::swap(request.diagonal[a], request.diagonal[b]);
    std::swap(request.permutation[a], request.permutation[b]);
    s.row(a).segment(first, a - first).swap(s.row(b).segment(first, a - first));
    s.col(a).segment(a + 1, b - a - 1).swap(s.row(b).segment(a + 1, b - a - 1).transpose());
    s.col(a).tail(request.order() - b - 1).swap(s.col(b).tail(request.order() - b - 1));
}

// Column k of L below its pivot. Columns first ... k - 1 of the panel are subtracted from it first.
void finish_column(crew &team, const fid_kernels &kernels, cholesky_request &request, int64_t first, int64_t k)
{
    matrix_ref &s = request.s;
    double *const column = s.col(k).data();
    const double *const panel = s.col(first).data();
    double coefficients[cholesky_panel];
    const int count = int(k - first);
    Eigen::Map<Eigen::RowVectorXd>(coefficients, count) = s.row(k).segment(first, count);

    const int64_t start = (k + 1) / dot_lanes * dot_lanes;
    const int64_t end = round_up(request.order(), dot_lanes);
    const int64_t first_item = start / rows_per_item;
    team.each(divide_up(end, rows_per_item) - first_item, rows_per_item * count, [&](int64_t item, int32_t) {
        const int64_t from = std::max(start, (first_item + item) * rows_per_item);
        const int64_t to = std::min(end, (first_item + item + 1) * rows_per_item);
        if (from < to)
            kernels.subtract_combination(column + from, panel + from, s.outerStride(), coefficients, count, to - from);
    });

    const double pivot = std::sqrt(request.diagonal[k]);
    const double inverse = 1.0 / pivot;
    column[k] = pivot;
    for (int64_t i = k + 1; i < request.order(); ++i) {
        column[i] *= inverse;
        request.diagonal[i] = fused_multiply_add(-column[i], column[i], request.diagonal[i]);
    }
}

// Stores columns first ... last - 1 of L by feature.
void store_columns(cholesky_request &request, int64_t first, int64_t last)
{
    request.l.middleCols(first, last - first).setZero();
    for (int64_t k = first; k < last; ++k)
        for (int64_t i = k; i < request.order(); ++i)
            request.l(request.permutation[i], k) = request.s(i, k);
}

} // namespace

cholesky_result pivoted_cholesky(crew &team, const fid_kernels &kernels, multiplier &product, cholesky_request request,
                                 int64_t progress_before, int64_t progress_total)
{
    const int64_t order = request.order();
    vector_view &diagonal = request.diagonal;
    diagonal = request.s.diagonal();
    std::iota(request.permutation.begin(), request.permutation.end(), 0);
    const double noise = pivot_noise(order, std::max(0.0, diagonal.maxCoeff()));

    for (int64_t first = 0; first < order; first += cholesky_panel) {
        if (!team.proceed(progress_before + first, progress_total))
            return {-1, 0.0};
        const int64_t last = std::min<int64_t>(order, first + cholesky_panel);
        for (int64_t k = first; k < last; ++k) {
            const int64_t pivot = std::max_element(diagonal.begin() + k, diagonal.end()) - diagonal.begin();
            if (!(diagonal[pivot] > noise) || k >= request.most_rank) {
                store_columns(request, first, k);
                return {k, diagonal.tail(order - k).minCoeff()};
            }
            if (pivot != k)
                swap_features(request, first, k, pivot);
            finish_column(team, kernels, request, first, k);
        }
        store_columns(request, first, last);
        const int64_t rest = order - last;
        const auto panel = request.s.block(last, first, rest, last - first);
        product.subtract(team, panel, panel, request.s.bottomRightCorner(rest, rest), part::lower);
    }
    return {order, 0.0};
}

} // namespace iqa

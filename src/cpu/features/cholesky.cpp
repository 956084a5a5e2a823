// SPDX-License-Identifier: MIT
#include "cpu/features/cholesky.hpp"

#include <algorithm>
#include <cmath>

#include "arith/portable.h"

namespace iqa {

namespace {

constexpr int64_t rows_per_item = 256;

// Swaps features `a` and `b`, a < b, in the lower triangle, from column `first` on.
void swap_features(const cholesky_request &request, int64_t first, int64_t a, int64_t b)
{
    const matrix &s = request.s;
    std::swap(request.diagonal[a], request.diagonal[b]);
    std::swap(request.permutation[a], request.permutation[b]);
    for (int64_t c = first; c < a; ++c)
        std::swap(s.column(c)[a], s.column(c)[b]);
    for (int64_t i = a + 1; i < b; ++i)
        std::swap(s.column(a)[i], s.column(i)[b]);
    std::swap_ranges(s.column(a) + b + 1, s.column(a) + request.order, s.column(b) + b + 1);
}

// Column k of L below its pivot; columns first ... k - 1 have been computed and not yet been subtracted.
void finish_column(crew &team, const fid_kernels &kernels, const cholesky_request &request, int64_t first, int64_t k)
{
    double *const column = request.s.column(k);
    double coefficients[cholesky_panel];
    const int count = int(k - first);
    for (int t = 0; t < count; ++t)
        coefficients[t] = request.s.column(first + t)[k];

    const int64_t start = (k + 1) / dot_lanes * dot_lanes;
    const int64_t end = padded(request.order, dot_lanes);
    const int64_t first_item = start / rows_per_item;
    team.each((end + rows_per_item - 1) / rows_per_item - first_item, rows_per_item * count,
              [&](int64_t item, int32_t) {
                  const int64_t from = std::max(start, (first_item + item) * rows_per_item);
                  const int64_t to = std::min(end, (first_item + item + 1) * rows_per_item);
                  if (from < to)
                      kernels.subtract_combination(column + from, request.s.column(first) + from, request.s.stride,
                                                   coefficients, count, to - from);
              });

    const double pivot = std::sqrt(request.diagonal[k]);
    const double inverse = 1.0 / pivot;
    column[k] = pivot;
    for (int64_t i = k + 1; i < request.order; ++i) {
        column[i] *= inverse;
        request.diagonal[i] = fused_multiply_add(-column[i], column[i], request.diagonal[i]);
    }
}

// Puts columns first ... last - 1 of L in place, by feature.
void place_columns(const cholesky_request &request, int64_t first, int64_t last)
{
    for (int64_t k = first; k < last; ++k) {
        const double *from = request.s.column(k);
        double *to = request.l.column(k);
        std::fill_n(to, padded(request.order, dot_lanes), 0.0);
        for (int64_t i = k; i < request.order; ++i)
            to[request.permutation[i]] = from[i];
    }
}

} // namespace

cholesky_result pivoted_cholesky(crew &team, const fid_kernels &kernels, multiplier &product,
                                 const cholesky_request &request, int64_t progress_before, int64_t progress_total)
{
    const int64_t order = request.order;
    double largest = 0.0;
    for (int64_t i = 0; i < order; ++i) {
        request.permutation[i] = i;
        request.diagonal[i] = request.s.column(i)[i];
        largest = std::max(largest, request.diagonal[i]);
    }
    const double noise = pivot_noise(order, largest);

    for (int64_t first = 0; first < order; first += cholesky_panel) {
        if (!team.proceed(progress_before + first, progress_total))
            return {-1, 0.0};
        const int64_t last = std::min<int64_t>(order, first + cholesky_panel);
        for (int64_t k = first; k < last; ++k) {
            const int64_t pivot = std::max_element(request.diagonal + k, request.diagonal + order) - request.diagonal;
            if (!(request.diagonal[pivot] > noise) || k >= request.most_rank) {
                place_columns(request, first, k);
                return {k, *std::min_element(request.diagonal + k, request.diagonal + order)};
            }
            if (pivot != k)
                swap_features(request, first, k, pivot);
            finish_column(team, kernels, request, first, k);
        }
        place_columns(request, first, last);
        const operand panel{request.s.column(first) + last, request.s.stride, false};
        product.run(team, {.a = panel,
                           .b = panel,
                           .c = {request.s.column(last) + last, request.s.stride},
                           .rows = order - last,
                           .columns = order - last,
                           .depth = last - first,
                           .subtract = true,
                           .lower_only = true});
    }
    return {order, 0.0};
}

} // namespace iqa

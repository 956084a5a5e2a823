// SPDX-License-Identifier: MIT
#include "metrics/features/distance.hpp"

#include <algorithm>

#include "cpu/features/bidiagonal.hpp"
#include "cpu/features/cholesky.hpp"

namespace iqa {

namespace {

// Below this order a second thread costs more than it brings.
constexpr int64_t order_worth_a_team = 256;

struct side {
    const covariance_matrix *covariance;
    int index; // 0: first, 1: second argument of the caller
};

// Columns of all matrices are this far apart: padded to whole lanes, and not by a power of two, which would put the
// rows of neighbouring columns into the same cache set.
int64_t column_stride(int64_t order)
{
    return padded(order, dot_lanes) + dot_lanes;
}

// -1, 0, 1: which covariance has the smaller element where they first differ.
int compare(int64_t order, const covariance_matrix &a, const covariance_matrix &b)
{
    for (int64_t j = 0; j < order; ++j)
        for (int64_t i = j; i < order; ++i) {
            const double left = a.at(i, j);
            const double right = b.at(i, j);
            if (left != right)
                return left < right ? -1 : 1;
        }
    return 0;
}

class trace_computation {
public:
    trace_computation(context &where, const fid_kernels &kernels, int64_t order);

    void run(crew &team, const side (&sides)[2], bool equal, frechet_parts &parts);

private:
    cholesky_result factor(crew &team, const side &which, const matrix &l, int64_t progress_before);
    double norm_of_product(crew &team, const matrix (&factors)[2], const int64_t (&ranks)[2]);
    int64_t progress_total() const { return 3 * order_ + 1; }

    const fid_kernels &kernels_;
    const int64_t order_;
    const int64_t stride_;
    multiplier product_;
    scratch memory_;
    matrix work_;       // S, later L1^T L2
    matrix factors_[2]; // L1, L2
    double *vectors_;
    double *diagonal_;
    int64_t *permutation_;
};

trace_computation::trace_computation(context &where, const fid_kernels &kernels, int64_t order)
    : kernels_(kernels), order_(order), stride_(column_stride(order)), product_(where, kernels, stride_), memory_(where)
{
    const size_t matrix_size = size_t(stride_) * size_t(padded(order, dot_lanes));
    const size_t vector_size = nuclear_norm_memory(order, order);
    static_assert(sizeof(int64_t) == sizeof(double));
    double *next = memory_.take<double>(3 * matrix_size + vector_size + 2 * size_t(stride_), "the trace term");
    work_ = {next, stride_};
    factors_[0] = {next + matrix_size, stride_};
    factors_[1] = {next + 2 * matrix_size, stride_};
    vectors_ = next + 3 * matrix_size;
    diagonal_ = vectors_ + vector_size;
    permutation_ = reinterpret_cast<int64_t *>(diagonal_ + stride_);
}

cholesky_result trace_computation::factor(crew &team, const side &which, const matrix &l, int64_t progress_before)
{
    team.each(order_, 16 * order_, [&](int64_t j, int32_t) {
        double *const column = work_.column(j);
        std::fill(column, column + stride_, 0.0);
        for (int64_t i = j; i < order_; ++i)
            column[i] = which.covariance->at(i, j);
    });
    return pivoted_cholesky(team, kernels_, product_,
                            {.s = work_,
                             .l = l,
                             .order = order_,
                             .most_rank = which.covariance->most_rank(),
                             .diagonal = diagonal_,
                             .permutation = permutation_},
                            progress_before, progress_total());
}

// || La^T Lb ||_*, with the factor of larger rank as a.
double trace_computation::norm_of_product(crew &team, const matrix (&factors)[2], const int64_t (&ranks)[2])
{
    const int tall = ranks[0] >= ranks[1] ? 0 : 1;
    const int64_t rows = ranks[tall];
    const int64_t columns = ranks[1 - tall];
    if (columns == 0)
        return 0.0;
    for (int64_t j = 0; j < padded(columns, dot_lanes); ++j)
        std::fill_n(work_.column(j), stride_, 0.0);
    product_.run(team, {.a = {factors[tall].data, stride_, true},
                        .b = {factors[1 - tall].data, stride_, true},
                        .c = work_,
                        .rows = rows,
                        .columns = columns,
                        .depth = order_,
                        .subtract = false,
                        .lower_only = false});
    return nuclear_norm(team, kernels_, product_, {.k = work_, .rows = rows, .columns = columns, .memory = vectors_},
                        2 * order_, progress_total());
}

void trace_computation::run(crew &team, const side (&sides)[2], bool equal, frechet_parts &parts)
{
    cholesky_result result{};
    int64_t ranks[2];
    for (int s = 0; s < 2; ++s) {
        if (s == 0 || !equal)
            result = factor(team, sides[s], factors_[s], s * order_);
        if (result.rank < 0)
            return;
        ranks[s] = result.rank;
        parts.ranks[sides[s].index] = result.rank;
        parts.least_pivots[sides[s].index] = result.least_pivot;
    }
    // S (S)^(1/2) needs no reduction, and equal sets shall be exactly 0 apart.
    parts.trace_term = equal ? parts.traces[0] : norm_of_product(team, factors_, ranks);
    team.proceed(progress_total(), progress_total());
}

} // namespace

frechet_parts frechet_distance(context &where, const fid_kernels &kernels, int64_t order, double mean_term,
                               const covariance_matrix &first, const covariance_matrix &second,
                               const trace_device *device)
{
    frechet_parts parts{};
    parts.mean_term = mean_term;
    for (int64_t i = 0; i < order; ++i) {
        parts.traces[0] += first.at(i, i);
        parts.traces[1] += second.at(i, i);
    }

    // In an order that does not depend on which side is called first.
    const int order_of_sides = compare(order, first, second);
    const side as_given[2] = {{&first, 0}, {&second, 1}};
    const side swapped[2] = {{&second, 1}, {&first, 0}};
    const side(&sides)[2] = order_of_sides <= 0 ? as_given : swapped;

    if (device != nullptr) {
        device->run(order_of_sides > 0, order_of_sides == 0, parts);
    } else {
        trace_computation work(where, kernels, order);
        crew::run(where, order < order_worth_a_team ? 1 : where.threads(),
                  [&](crew &team) { work.run(team, sides, order_of_sides == 0, parts); });
    }

    parts.raw = parts.mean_term + ((parts.traces[0] + parts.traces[1]) - 2.0 * parts.trace_term);
    parts.value = parts.raw > 0.0 ? parts.raw : 0.0;
    return parts;
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// FID's trace term: pivoted Cholesky of both covariances, then the nuclear norm of the product of their factors.
#include <algorithm>

#include "cpu/backend.hpp"
#include "cpu/features/bidiagonal.hpp"
#include "cpu/features/cholesky.hpp"

namespace iqa {

namespace {

// Below this order a second thread costs more than it brings.
constexpr int64_t order_worth_a_team = 256;

// Columns of all matrices are this far apart: padded to whole lanes, and not by a power of two, which would put the
// rows of neighbouring columns into the same cache set.
int64_t column_stride(int64_t order)
{
    return padded(order, dot_lanes) + dot_lanes;
}

class trace_computation {
public:
    trace_computation(context &where, memory_source &memory, trace_request &request);

    void run(crew &team);

private:
    cholesky_result factor(crew &team, int set);
    double norm_of_product(crew &team);
    int64_t progress_total() const { return 3 * order_ + 1; }

    trace_request &request_;
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

trace_computation::trace_computation(context &where, memory_source &memory, trace_request &request)
    : request_(request),
      kernels_(fid_kernels_for(where)),
      order_(request.sets[0].order()),
      stride_(column_stride(order_)),
      product_(where, kernels_, stride_),
      memory_(memory)
{
    const size_t matrix_size = size_t(stride_) * size_t(padded(order_, dot_lanes));
    const size_t vector_size = nuclear_norm_memory(order_, order_);
    static_assert(sizeof(int64_t) == sizeof(double));
    double *next = memory_.take<double>(3 * matrix_size + vector_size + 2 * size_t(stride_), "the trace term");
    work_ = {next, stride_};
    factors_[0] = {next + matrix_size, stride_};
    factors_[1] = {next + 2 * matrix_size, stride_};
    vectors_ = next + 3 * matrix_size;
    diagonal_ = vectors_ + vector_size;
    permutation_ = reinterpret_cast<int64_t *>(diagonal_ + stride_);
}

cholesky_result trace_computation::factor(crew &team, int set)
{
    const covariance_view &covariance = request_.sets[set];
    team.each(order_, 16 * order_, [&](int64_t j, int32_t) {
        double *const column = work_.column(j);
        std::fill(column, column + stride_, 0.0);
        for (int64_t i = j; i < order_; ++i)
            column[i] = covariance.at(i, j);
    });
    return pivoted_cholesky(team, kernels_, product_,
                            {.s = work_,
                             .l = factors_[set],
                             .order = order_,
                             .most_rank = covariance.most_rank(),
                             .diagonal = diagonal_,
                             .permutation = permutation_},
                            set * order_, progress_total());
}

// || La^T Lb ||_*, with the factor of larger rank as a.
double trace_computation::norm_of_product(crew &team)
{
    const int tall = request_.ranks[0] >= request_.ranks[1] ? 0 : 1;
    const int64_t rows = request_.ranks[tall];
    const int64_t columns = request_.ranks[1 - tall];
    if (columns == 0)
        return 0.0;
    for (int64_t j = 0; j < padded(columns, dot_lanes); ++j)
        std::fill_n(work_.column(j), stride_, 0.0);
    product_.run(team, {.a = {factors_[tall].data, stride_, true},
                        .b = {factors_[1 - tall].data, stride_, true},
                        .c = work_,
                        .rows = rows,
                        .columns = columns,
                        .depth = order_,
                        .subtract = false,
                        .lower_only = false});
    return nuclear_norm(team, kernels_, product_, {.k = work_, .rows = rows, .columns = columns, .memory = vectors_},
                        2 * order_, progress_total());
}

void trace_computation::run(crew &team)
{
    cholesky_result result{};
    for (int set = 0; set < 2; ++set) {
        if (set == 0 || !request_.equal)
            result = factor(team, set);
        if (result.rank < 0)
            return;
        request_.ranks[set] = result.rank;
        request_.least_pivots[set] = result.least_pivot;
    }
    if (!request_.equal)
        request_.norm = norm_of_product(team);
    team.proceed(progress_total(), progress_total());
}

} // namespace

void cpu_trace(context &where, int32_t, memory_source &memory, trace_request &request)
{
    trace_computation work(where, memory, request);
    crew::run(where, request.sets[0].order() < order_worth_a_team ? 1 : where.threads(),
              [&](crew &team) { work.run(team); });
}

} // namespace iqa

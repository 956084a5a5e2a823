// SPDX-License-Identifier: MIT
// FID's trace term: pivoted Cholesky of both covariances, then the nuclear norm of the product of their factors.
#include <algorithm>

#include "cpu/backend.hpp"
#include "cpu/features/bidiagonal.hpp"
#include "cpu/features/cholesky.hpp"

namespace iqa {

namespace {

// Below this order a second thread costs more than it saves.
constexpr int64_t order_worth_a_team = 256;

// The distance of columns in all matrices: whole lanes, and no power of two, which would map the rows of neighbouring
// columns to the same cache set.
int64_t column_stride(int64_t order)
{
    return round_up(order, dot_lanes) + dot_lanes;
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
    const int64_t columns_; // padded
    multiplier product_;
    scratch memory_;
    slices rest_;
    matrix_view work_;       // S, later L1^T L2
    matrix_view factors_[2]; // L1, L2
    double *norm_memory_;
    vector_view diagonal_;
    index_view permutation_;
    index_view pivots_[2]; // for each feature the column of its pivot, behind which its row of L is 0
};

trace_computation::trace_computation(context &where, memory_source &memory, trace_request &request)
    : request_(request),
      kernels_(fid_kernels_for(where)),
      order_(request.sets[0].order()),
      stride_(column_stride(order_)),
      columns_(round_up(order_, dot_lanes)),
      product_(where, kernels_, stride_),
      memory_(memory),
      rest_(memory_.take<double>(size_t(3 * stride_ * columns_ + 4 * stride_) + nuclear_norm_memory(order_, order_),
                                 "the trace term")),
      work_(rest_.matrix(stride_, columns_)),
      factors_{rest_.matrix(stride_, columns_), rest_.matrix(stride_, columns_)},
      norm_memory_(rest_.take(int64_t(nuclear_norm_memory(order_, order_)))),
      diagonal_(rest_.vector(order_)),
      permutation_(rest_.indices(order_)),
      pivots_{rest_.indices(order_), rest_.indices(order_)}
{
}

cholesky_result trace_computation::factor(crew &team, int set)
{
    const covariance_view &covariance = request_.sets[set];
    team.each(order_, 16 * order_, [&](int64_t j, int32_t) {
        work_.col(j).setZero();
        for (int64_t i = j; i < order_; ++i)
            work_(i, j) = covariance.at(i, j);
    });
    const cholesky_result result = pivoted_cholesky(team, kernels_, product_,
                                                    {.s = work_.topLeftCorner(order_, order_),
                                                     .l = factors_[set],
                                                     .most_rank = covariance.most_rank(),
                                                     .diagonal = diagonal_,
                                                     .permutation = permutation_},
                                                    set * order_, progress_total());
    for (int64_t i = 0; i < order_; ++i)
        pivots_[set][permutation_[i]] = i;
    return result;
}

// || La^T Lb ||_*, with the factor of larger rank as a.
double trace_computation::norm_of_product(crew &team)
{
    const int tall = request_.ranks[0] >= request_.ranks[1] ? 0 : 1;
    const int64_t rows = request_.ranks[tall];
    const int64_t columns = request_.ranks[1 - tall];
    if (columns == 0)
        return 0.0;
    work_.leftCols(round_up(columns, dot_lanes)).setZero();
    const auto left = factors_[tall].topLeftCorner(order_, rows);
    const auto right = factors_[1 - tall].topLeftCorner(order_, columns);
    auto product = work_.topLeftCorner(rows, columns);
    product_.assign(team, left.transpose(), right.transpose(), product, part::whole,
                    {.a = pivots_[tall].data(), .b = pivots_[1 - tall].data()});
    return nuclear_norm(team, kernels_, product_, {.k = product, .memory = norm_memory_}, 2 * order_, progress_total());
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

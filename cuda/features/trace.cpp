// SPDX-License-Identifier: MIT
// FID's trace term on a GPU: src/cpu/features/trace.cpp, step by step, with the same bits. The caller waits for the
// result, so the host can read the state after each panel of columns, where the call can also be cancelled.
#include <algorithm>

#include "core/arena.hpp"
#include "core/parallel.hpp"
#include "cuda/backend.hpp"
#include "cuda/features/bidiagonal.h"
#include "cuda/features/both_sets.h"
#include "cuda/features/cholesky.h"
#include "cuda/machine/device.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

int64_t padded(int64_t length)
{
    return round_up(length, dot_lanes);
}

class trace_computation {
public:
    trace_computation(context &where, memory_source &device, trace_request &request);

    void run();

private:
    void place_all(arena &memory);
    template <class Kernel, class Make>
    void launch_for_sets(int64_t blocks_of_set, size_t shared_bytes, Make &&make);
    void upload_sets();
    void factor();
    void subtract_panel(const cholesky_view &view, int64_t first, int64_t last);
    void multiply(const matrix_product &product, const int64_t *stopped = nullptr);
    double norm_of_product();
    void reduce_column(const reduction_view &view, int64_t k, int pairs, bool last);
    double sum_of_singular_values(int64_t order);

    template <class Item>
    void fetch(Item *to, const Item *from, int64_t count)
    {
        host_copies copies(where_);
        check(copies.download(to, from, size_t(count) * sizeof(Item)), "reading the trace term");
        check(copies.wait(), "finding the trace term");
    }

    void report(int64_t done) const { report_progress(where_, done, 3 * order_ + 1); }

    context &where_;
    trace_request &request_;
    const int64_t order_;
    const int sets_; // to factor: 1 if both are equal
    scratch memory_;
    scratch host_memory_;
    host_copies uploads_;
    matrix covariances_[2]{}; // later the first one is L1^T L2
    matrix factors_[2]{};     // first they hold the moments
    cholesky_view cholesky_[2]{};
    reduction_view reduction_{};
};

trace_computation::trace_computation(context &where, memory_source &device, trace_request &request)
    : where_(where),
      request_(request),
      order_(request.sets[0].order()),
      sets_(request.equal ? 1 : 2),
      memory_(device),
      host_memory_(where),
      uploads_(where)
{
    place_in(memory_, "the trace term", [&](arena &memory) { place_all(memory); });
}

void trace_computation::place_all(arena &memory)
{
    // As on the CPU, the stride is no power of two.
    const int64_t side = padded(order_);
    const int64_t stride = side + dot_lanes;
    for (matrix *const matrices : {covariances_, factors_})
        for (int set = 0; set < 2; ++set)
            matrices[set] = {memory.take<double>(stride * side), stride};
    auto *const states = memory.take<cholesky_state>(2); // adjacent, so that one copy reads both
    for (int set = 0; set < 2; ++set)
        cholesky_[set] = {.s = covariances_[set],
                          .l = factors_[set],
                          .order = order_,
                          .most_rank = request_.sets[set].most_rank(),
                          .diagonal = memory.take<double>(order_),
                          .permutation = memory.take<int64_t>(order_),
                          .state = states != nullptr ? states + set : nullptr};
    reduction_ = {.k = covariances_[0],
                  .rows = 0,
                  .columns = 0,
                  .left = memory.take<double>(most_pairs * side),
                  .right = memory.take<double>(most_pairs * side),
                  .partial = memory.take<double>(divide_up(side, column_chunk) * side),
                  .column_tail = memory.take<double>(side),
                  .row_tail = memory.take<double>(side),
                  .chunk_squares = memory.take<double>(divide_up(side, std::min(row_chunk, column_chunk))),
                  .diagonal = memory.take<double>(side),
                  .off = memory.take<double>(side),
                  .along = memory.take<double>(most_pairs),
                  .products = memory.take<double>(side),
                  .state = memory.take<column_state>(1)};
}

void trace_computation::multiply(const matrix_product &product, const int64_t *stopped)
{
    launch<multiply_matrices>(where_, multiply_matrices::blocks(product.rows, product.columns),
                              multiply_matrices::shared_bytes, {product, stopped});
}

// One launch for all sets; make(set) makes the arguments.
template <class Kernel, class Make>
void trace_computation::launch_for_sets(int64_t blocks_of_set, size_t shared_bytes, Make &&make)
{
    launch<both_sets<Kernel>>(where_, sets_ * blocks_of_set, shared_bytes,
                              {.sets = {make(0), make(1)}, .blocks_of_set = blocks_of_set});
}

// Fills the covariances. The moments pass through the factors' memory, which is cleared then.
void trace_computation::upload_sets()
{
    const size_t lanes_bytes = size_t(moment_lanes::count(order_)) * sizeof(int64_t);
    const auto lanes_of = [&](int set) -> moment_lanes {
        return {reinterpret_cast<int64_t *>(factors_[set].data), order_};
    };
    for (int set = 0; set < sets_; ++set)
        check(uploads_.upload(lanes_of(set).lanes, request_.sets[set].moments.lanes, lanes_bytes),
              "copying moments to the device");
    launch_for_sets<fill_covariance>(
        fill_covariance::blocks(covariances_[0], order_), 0, [&](int set) -> fill_covariance::arguments {
            return {.lanes = lanes_of(set), .unit = request_.sets[set].unit, .s = covariances_[set]};
        });
    for (int set = 0; set < sets_; ++set)
        check(active_runtime.clear(factors_[set].data, lanes_bytes, stream_of(where_)), "clearing CUDA memory");
}

void trace_computation::factor()
{
    upload_sets();
    launch_for_sets<start_cholesky>(1, start_cholesky::shared_bytes, [&](int set) { return cholesky_[set]; });
    cholesky_state now[2] = {};
    now[0].rank = -1;
    now[1].rank = -1;
    for (int64_t first = 0; first < order_ && (now[0].rank < 0 || (sets_ == 2 && now[1].rank < 0));
         first += cholesky_panel) {
        report(sets_ * first);
        const int64_t last = std::min(order_, first + cholesky_panel);
        launch_for_sets<choose_first_pivot>(
            1, choose_first_pivot::shared_bytes,
            [&](int set) -> choose_first_pivot::arguments { return {.view = cholesky_[set], .k = first}; });
        for (int64_t k = first; k < last; ++k)
            launch_for_sets<finish_cholesky_column>(
                finish_cholesky_column::blocks(order_, k), finish_cholesky_column::shared_bytes,
                [&](int set) -> finish_cholesky_column::arguments {
                    return {.view = cholesky_[set], .first = first, .last = last, .k = k};
                });
        launch_for_sets<place_cholesky_columns>(last - first, 0, [&](int set) -> place_cholesky_columns::arguments {
            return {.view = cholesky_[set], .first = first};
        });
        for (int set = 0; set < sets_; ++set)
            subtract_panel(cholesky_[set], first, last);
        fetch(now, cholesky_[0].state, sets_);
    }
    for (int set = 0; set < sets_; ++set) {
        request_.ranks[set] = now[set].rank < 0 ? order_ : now[set].rank;
        request_.least_pivots[set] = now[set].least_pivot;
    }
}

void trace_computation::subtract_panel(const cholesky_view &view, int64_t first, int64_t last)
{
    const operand panel{view.s.column(first) + last, view.s.stride, false};
    multiply({.a = panel,
              .b = panel,
              .c = {view.s.column(last) + last, view.s.stride},
              .rows = order_ - last,
              .columns = order_ - last,
              .depth = last - first,
              .subtract = true,
              .lower_only = true},
             &view.state->rank);
}

// The steps of column k; `pairs`: of the columns before it.
void trace_computation::reduce_column(const reduction_view &view, int64_t k, int pairs, bool last)
{
    const bool panel_ends = pairs == most_pairs;
    update_column::arguments update = {.view = view, .k = k, .pairs = pairs, .finish = k > 0, .start = !panel_ends};
    launch<update_column>(where_, update_column::blocks(update), update_column::shared_bytes, update);
    if (panel_ends) {
        multiply({.a = {view.left + k, view.rows, false},
                  .b = {view.right + k, view.columns, false},
                  .c = {view.k.column(k) + k, view.k.stride},
                  .rows = view.rows - k,
                  .columns = request_.ranks[0] < request_.ranks[1] ? request_.ranks[0] - k : request_.ranks[1] - k,
                  .depth = pairs,
                  .subtract = true,
                  .lower_only = false});
        update = {.view = view, .k = k, .pairs = 0, .finish = false, .start = true};
        launch<update_column>(where_, update_column::blocks(update), update_column::shared_bytes, update);
    }
    if (last)
        return;
    const column_arguments column = {.view = view, .k = k, .pairs = update.pairs};
    launch<reflect_from_left>(where_, reflect_from_left::blocks(column), reflect_from_left::shared_bytes, column);
    launch<multiply_both_ways>(where_, multiply_both_ways::blocks(column), multiply_both_ways::shared_bytes, column);
    launch<reflect_from_right>(where_, reflect_from_right::blocks(column), reflect_from_right::shared_bytes, column);
}

// || La^T Lb ||_*, with the factor of larger rank as a.
double trace_computation::norm_of_product()
{
    const int tall = request_.ranks[0] >= request_.ranks[1] ? 0 : 1;
    const int64_t rows = request_.ranks[tall];
    const int64_t columns = request_.ranks[1 - tall];
    if (columns == 0)
        return 0.0;
    const matrix &product = reduction_.k;
    check(
        active_runtime.clear(product.data, size_t(product.stride * padded(order_)) * sizeof(double), stream_of(where_)),
        "clearing CUDA memory");
    multiply({.a = {factors_[tall].data, factors_[tall].stride, true},
              .b = {factors_[1 - tall].data, factors_[1 - tall].stride, true},
              .c = product,
              .rows = rows,
              .columns = columns,
              .depth = order_,
              .subtract = false,
              .lower_only = false});
    reduction_.rows = padded(rows);
    reduction_.columns = padded(columns);
    int pairs = 0;
    for (int64_t k = 0; k < columns; ++k) {
        if (k % reflector_panel == 0) {
            check(active_runtime.wait(stream_of(where_)), "finding the trace term");
            report(2 * order_ + k);
        }
        reduce_column(reduction_, k, pairs, k + 1 == columns);
        pairs = (pairs == most_pairs ? 0 : pairs) + 2;
    }
    return sum_of_singular_values(columns);
}

double trace_computation::sum_of_singular_values(int64_t order)
{
    double *const diagonal = host_memory_.take<double>(size_t(2 * order), "the trace term");
    double *const off = diagonal + order;
    fetch(diagonal, reduction_.diagonal, order);
    fetch(off, reduction_.off, order);
    int exponent = 0;
    if (!square_and_scale(diagonal, off, order, &exponent))
        return 0.0;
    const size_t bytes = size_t(order) * sizeof(double);
    check(uploads_.upload(reduction_.diagonal, diagonal, bytes), "finding singular values");
    check(uploads_.upload(reduction_.off, off, bytes), "finding singular values");
    launch<bisect>(where_, order, bisect::shared_bytes,
                   {.diagonal_squared = reduction_.diagonal,
                    .off_squared = reduction_.off,
                    .order = order,
                    .values = reduction_.left});
    fetch(diagonal, reduction_.left, order);
    double sum = 0.0;
    for (int64_t k = 0; k < order; ++k)
        sum += diagonal[k];
    return sum * power_of_two(exponent);
}

void trace_computation::run()
{
    factor();
    if (request_.equal) {
        request_.ranks[1] = request_.ranks[0];
        request_.least_pivots[1] = request_.least_pivots[0];
    } else {
        request_.norm = norm_of_product();
    }
    report(3 * order_ + 1);
}

} // namespace

void trace(context &where, int32_t device_id, memory_source &memory, trace_request &request)
{
    const current_device current(device_id);
    trace_computation(where, memory, request).run();
}

} // namespace iqa::cuda

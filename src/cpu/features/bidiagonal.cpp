// SPDX-License-Identifier: MIT
// Blocked Golub-Kahan bidiagonalisation (J. J. Dongarra, D. C. Sorensen, S. J. Hammarling, "Block reduction of matrices
// to condensed forms for eigenvalue computations", J. Comput. Appl. Math. 27, 1989), with both products of a column in
// one pass over the matrix (G. W. Howell et al., "Cache efficient bidiagonalization using BLAS 2.5 operators", ACM
// TOMS 34, 2008), since memory limits the speed. Within a panel the matrix is A = K - sum_s left_s right_s^T, where the
// pairs (left_s, right_s) are u_0 y_0^T, x_0 v_0^T, u_1 y_1^T, ...
//
// Absolute row and column numbers fix the order of every sum, so no bit depends on workers or lanes. Ranges are rounded
// outward to multiples of dot_lanes; an element outside is zero in one factor, or never read again.
#include "cpu/features/bidiagonal.hpp"

#include <algorithm>
#include <limits>

#include "arith/bidiagonal.h"

namespace iqa {

namespace {

class reduction {
public:
    reduction(crew &team, const fid_kernels &kernels, multiplier &product, nuclear_norm_request &request);

    bool to_bidiagonal(int64_t progress_before, int64_t progress_total);
    double sum_of_singular_values();

private:
    void reduce_column(int64_t k);
    void update_column(int64_t k);
    void reflect_from_left(int64_t k);
    void multiply_both_ways(int64_t k);
    void multiply_group(int64_t k, int64_t group, double *partial);
    void reflect_from_right(int64_t k);
    void finish_x(int64_t k);
    void update_rest(int64_t next);

    template <class Body>
    void each_chunk(int64_t first, int64_t end, int64_t chunk, int64_t cost, Body &&body)
    {
        const int64_t from = first / chunk;
        team_.each(divide_up(end, chunk) - from, cost, [&](int64_t item, int32_t) {
            const int64_t index = from + item;
            body(index, std::max(lanes_down(first), index * chunk), std::min(end, (index + 1) * chunk));
        });
    }

    crew &team_;
    const fid_kernels &kernels_;
    multiplier &product_;
    const int64_t true_columns_;
    const int64_t rows_, columns_; // padded
    matrix_view k_;                // likewise
    slices memory_;
    matrix_view left_, right_; // a column for each of most_pairs
    matrix_view partial_;      // a column for each chunk of columns, and a column of zeros
    vector_view column_tail_, row_tail_;
    vector_view chunk_squares_;
    vector_view diagonal_, off_;

    // State of the current column.
    int pairs_ = 0;
    reflector from_left_{}, from_right_{};
    double row_head_ = 0.0;
    double along_left_[most_pairs]; // left_s . u, then right_s . v
    double right_of_column_[most_pairs];
    double left_of_row_[most_pairs];
};

reduction::reduction(crew &team, const fid_kernels &kernels, multiplier &product, nuclear_norm_request &request)
    : team_(team),
      kernels_(kernels),
      product_(product),
      true_columns_(request.k.cols()),
      rows_(round_up(request.k.rows(), dot_lanes)),
      columns_(round_up(true_columns_, dot_lanes)),
      k_(request.k.data(), rows_, columns_, Eigen::OuterStride<>(request.k.outerStride())),
      memory_(request.memory),
      left_(memory_.matrix(rows_, most_pairs)),
      right_(memory_.matrix(columns_, most_pairs)),
      partial_(memory_.matrix(rows_, divide_up(columns_, column_chunk) + 1)),
      column_tail_(memory_.vector(rows_)),
      row_tail_(memory_.vector(columns_)),
      chunk_squares_(memory_.vector(std::max(divide_up(rows_, row_chunk), divide_up(columns_, column_chunk)))),
      diagonal_(memory_.vector(columns_ + bisection_width)),
      off_(memory_.vector(columns_ + bisection_width))
{
    std::fill(request.memory, memory_.take(0), 0.0);
}

// Updates column k and finds the reflector that clears it below the diagonal.
void reduction::update_column(int64_t k)
{
    auto column = k_.col(k);
    Eigen::Map<Eigen::RowVectorXd>(right_of_column_, pairs_) = right_.row(k).head(pairs_);
    each_chunk(k, rows_, row_chunk, row_chunk * (pairs_ + 1), [&](int64_t chunk, int64_t from, int64_t to) {
        kernels_.subtract_combination(&column[from], &left_(from, 0), rows_, right_of_column_, pairs_, to - from);
        for (int64_t r = from; r < to; ++r)
            column_tail_[r] = r <= k ? 0.0 : column[r];
        chunk_squares_[chunk] = kernels_.dot(&column_tail_[from], &column_tail_[from], to - from);
    });
    double squares = 0.0;
    for (int64_t chunk = k / row_chunk; chunk < divide_up(rows_, row_chunk); ++chunk)
        squares += chunk_squares_[chunk];
    from_left_ = make_reflector(column[k], squares);
    diagonal_[k] = from_left_.beta;
}

// u, and left_s . u for the pairs so far.
void reduction::reflect_from_left(int64_t k)
{
    const int64_t from = lanes_down(k);
    auto u = left_.col(pairs_);
    team_.each(pairs_ + 1, rows_ - from, [&](int64_t s, int32_t) {
        if (s == pairs_) {
            u.segment(from, k - from).setZero();
            u[k] = 1.0;
            u.tail(rows_ - k - 1) = column_tail_.tail(rows_ - k - 1) * from_left_.scale;
        } else {
            const auto basis = left_.col(s);
            left_of_row_[s] = basis[k];
            along_left_[s] = fused_multiply_add(
                from_left_.scale, kernels_.dot(&basis[from], &column_tail_[from], rows_ - from), basis[k]);
        }
    });
}

// For one group of dot_lanes columns: y = tau A^T u, row k after the reflector, and that row's share of A v.
void reduction::multiply_group(int64_t k, int64_t group, double *partial)
{
    const int64_t from = lanes_down(k);
    double *const y = &right_(group, pairs_);
    double *const tail = &row_tail_[group];
    const double *const columns = k_.col(group).data();
    const int64_t stride = k_.outerStride();
    alignas(64) double row[dot_lanes];

    for (int c = 0; c < dot_lanes; c += 2)
        kernels_.dot_pair(columns + c * stride + from, stride, &column_tail_[from], rows_ - from, y + c);
    for (int c = 0; c < dot_lanes; ++c) {
        row[c] = columns[c * stride + k];
        y[c] = fused_multiply_add(from_left_.scale, y[c], row[c]);
    }
    kernels_.subtract_combination(y, &right_(group, 0), columns_, along_left_, pairs_, dot_lanes);
    kernels_.subtract_combination(row, &right_(group, 0), columns_, left_of_row_, pairs_, dot_lanes);
    for (int c = 0; c < dot_lanes; ++c) {
        y[c] = group + c <= k ? 0.0 : y[c] * from_left_.tau;
        row[c] -= y[c];
        tail[c] = group + c <= k + 1 ? 0.0 : row[c];
        if (group + c == k + 1)
            row_head_ = row[c];
    }
    // Meanwhile the next group comes from memory or the last cache.
    for (int c = 0; c < dot_lanes; c += 2)
        kernels_.add_pair(partial + from, columns + c * stride + from, stride, tail + c, rows_ - from,
                          dot_lanes * stride);
}

void reduction::multiply_both_ways(int64_t k)
{
    const int64_t from = lanes_down(k);
    each_chunk(k + 1, columns_, column_chunk, 2 * column_chunk * (rows_ - from),
               [&](int64_t chunk, int64_t begin, int64_t end) {
                   auto partial = partial_.col(chunk);
                   partial.tail(rows_ - from).setZero();
                   for (int64_t group = begin; group < end; group += dot_lanes)
                       multiply_group(k, group, partial.data());
                   chunk_squares_[chunk] = kernels_.dot(&row_tail_[begin], &row_tail_[begin], end - begin);
               });
    double squares = 0.0;
    for (int64_t chunk = (k + 1) / column_chunk; chunk < divide_up(columns_, column_chunk); ++chunk)
        squares += chunk_squares_[chunk];
    from_right_ = make_reflector(row_head_, squares);
    off_[k] = from_right_.beta;
}

// v, and right_s . v for the pairs so far, y included.
void reduction::reflect_from_right(int64_t k)
{
    const int64_t from = lanes_down(k + 1);
    auto v = right_.col(pairs_ + 1);
    team_.each(pairs_ + 2, columns_ - from, [&](int64_t s, int32_t) {
        if (s == pairs_ + 1) {
            v.tail(columns_ - from) = row_tail_.tail(columns_ - from) * from_right_.scale;
            v[k + 1] = 1.0;
        } else {
            const auto basis = right_.col(s);
            along_left_[s] = fused_multiply_add(
                from_right_.scale, kernels_.dot(&basis[from], &row_tail_[from], columns_ - from), basis[k + 1]);
        }
    });
}

// x = tau A v.
void reduction::finish_x(int64_t k)
{
    auto x = left_.col(pairs_ + 1);
    const auto head_column = k_.col(k + 1);
    const int64_t first_chunk = (k + 1) / column_chunk;
    const int64_t last_chunk = divide_up(columns_, column_chunk);
    const int64_t cost = row_chunk * (last_chunk - first_chunk + pairs_);
    constexpr double ones[2] = {1.0, 1.0};
    each_chunk(k, rows_, row_chunk, cost, [&](int64_t, int64_t from, int64_t to) {
        auto inside = x.segment(from, to - from);
        inside.setZero();
        // An odd chunk at the end is paired with the chunk that stays zero.
        for (int64_t chunk = first_chunk; chunk < last_chunk; chunk += 2)
            kernels_.add_pair(inside.data(), &partial_(from, chunk), rows_, ones, to - from, 0);
        for (int64_t r = from; r < to; ++r)
            x[r] = fused_multiply_add(from_right_.scale, x[r], head_column[r]);
        kernels_.subtract_combination(inside.data(), &left_(from, 0), rows_, along_left_, pairs_ + 1, to - from);
        inside *= from_right_.tau;
    });
}

void reduction::reduce_column(int64_t k)
{
    update_column(k);
    if (k + 1 == true_columns_)
        return;
    reflect_from_left(k);
    multiply_both_ways(k);
    reflect_from_right(k);
    finish_x(k);
    pairs_ += 2;
}

// Subtracts the pairs of a finished panel from the rest of the matrix.
void reduction::update_rest(int64_t next)
{
    const int64_t rows = rows_ - next;
    const int64_t columns = true_columns_ - next;
    product_.subtract(team_, left_.block(next, 0, rows, pairs_), right_.block(next, 0, columns, pairs_),
                      k_.block(next, next, rows, columns));
    pairs_ = 0;
}

bool reduction::to_bidiagonal(int64_t progress_before, int64_t progress_total)
{
    for (int64_t k = 0; k < true_columns_; ++k) {
        if (!team_.proceed(progress_before + k, progress_total))
            return false;
        reduce_column(k);
        if (pairs_ == most_pairs && k + 1 < true_columns_)
            update_rest(k + 1);
    }
    return true;
}

double reduction::sum_of_singular_values()
{
    int exponent = 0;
    if (!square_and_scale(diagonal_.data(), off_.data(), true_columns_, &exponent))
        return 0.0;
    double *const values = left_.data();
    team_.each(divide_up(true_columns_, bisection_width), true_columns_ * bisection_width * bisection_steps,
               [&](int64_t item, int32_t) {
                   const int64_t first = item * bisection_width;
                   kernels_.bisect(diagonal_.data(), off_.data(), true_columns_, 1.0, first, values + first);
               });
    double sum = 0.0;
    for (int64_t k = 0; k < true_columns_; ++k)
        sum += values[k];
    return sum * power_of_two(exponent);
}

} // namespace

size_t nuclear_norm_memory(int64_t rows, int64_t columns)
{
    const int64_t height = round_up(rows, dot_lanes);
    const int64_t width = round_up(columns, dot_lanes);
    const int64_t doubles =
        most_pairs * (height + width) + (divide_up(width, column_chunk) + 1) * height + height + width +
        round_up(std::max(divide_up(height, row_chunk), divide_up(width, column_chunk)), dot_lanes) +
        2 * (width + bisection_width);
    return size_t(doubles);
}

double nuclear_norm(crew &team, const fid_kernels &kernels, multiplier &product, nuclear_norm_request request,
                    int64_t progress_before, int64_t progress_total)
{
    reduction work(team, kernels, product, request);
    if (!work.to_bidiagonal(progress_before, progress_total))
        return std::numeric_limits<double>::quiet_NaN();
    return work.sum_of_singular_values();
}

} // namespace iqa

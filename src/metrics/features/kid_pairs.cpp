// SPDX-License-Identifier: MIT
// KID's sums over pairs of rows on the CPU. Dot products come block by block from the fixed-order matrix product of the
// trace term; kernel values are summed as integers, so that no split into blocks and threads matters.
#include <atomic>

#include "core/samples.hpp"
#include "cpu/features/product.hpp"
#include "metrics/features/kid_estimate.hpp"

namespace iqa {

namespace {

// Rows of each set whose products are computed at once: the usual subset in one piece.
constexpr int64_t most_block_rows = 1024;

// Rows or columns of one item of work.
constexpr int64_t least_item = 16;

int64_t quotient_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

// A cache line for each item.
struct alignas(64) sums_of_item : pair_sums {};

// Rows as doubles, and which they are.
struct row_block {
    double *numbers;
    const row_set *set; // NULL: none yet
    int64_t first;
};

class kid_pairs {
public:
    kid_pairs(context &where, kid_estimate &estimate);

    void run(crew &team);

    // After run(): what was wrong with the features.
    void check_rows() const;

private:
    bool add_all(crew &team, int64_t index);
    bool add_pairs(crew &team, const row_set &left, const row_set &right, bool within, pair_sums *total);
    const double *load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed);
    void add_block(crew &team, int64_t rows, int64_t columns, bool on_diagonal, pair_sums *total);
    int64_t blocks_of_estimate() const;

    kid_estimate &estimate_;
    const fid_kernels &kernels_;
    const int64_t features_;
    const int64_t block_rows_;
    multiplier product_;
    scratch memory_;
    row_block blocks_[2] = {};
    matrix products_;
    sums_of_item *of_items_;
    double largest_[2] = {}; // dot products of rows with themselves
    int64_t done_ = 0;
    int64_t total_;
};

kid_pairs::kid_pairs(context &where, kid_estimate &estimate)
    : estimate_(estimate),
      kernels_(fid_kernels_for(where)),
      features_(estimate.set(0).view.columns),
      block_rows_(std::min(most_block_rows, std::max(estimate.set(0).count, estimate.set(1).count))),
      product_(where, kernels_, block_rows_),
      memory_(where)
{
    const auto block = size_t(block_rows_ * features_);
    const auto products = size_t(block_rows_ * block_rows_);
    constexpr size_t sums = most_block_rows / least_item * sizeof(sums_of_item) / sizeof(double);
    double *const memory = memory_.take<double>(sums + 2 * block + products, "blocks of rows and of their products");
    of_items_ = reinterpret_cast<sums_of_item *>(memory);
    blocks_[0].numbers = memory + sums;
    blocks_[1].numbers = blocks_[0].numbers + block;
    products_ = {blocks_[1].numbers + block, block_rows_};
    total_ = estimate.count() * blocks_of_estimate();
}

int64_t kid_pairs::blocks_of_estimate() const
{
    const int64_t blocks[2] = {quotient_up(estimate_.set(0).count, block_rows_),
                               quotient_up(estimate_.set(1).count, block_rows_)};
    return (blocks[0] * (blocks[0] + 1) + blocks[1] * (blocks[1] + 1)) / 2 + blocks[0] * blocks[1];
}

// The largest dot product of a row with itself; infinite or NaN where a number is not finite, or too large.
double largest_square(crew &team, const table_view &table)
{
    constexpr int64_t most_items = 1 << 18;
    const int64_t rows_of_item = std::max(least_item, quotient_up(table.rows, most_items));
    std::atomic<uint64_t> largest = 0; // as bits, whose order is that of the numbers
    team.each(quotient_up(table.rows, rows_of_item), rows_of_item * table.columns, [&](int64_t item, int32_t) {
        uint64_t own = 0;
        for (int64_t row = item * rows_of_item; row < std::min((item + 1) * rows_of_item, table.rows); ++row) {
            double sum = 0.0;
            visit_row(table, row, [&](int64_t, double value) { sum += value * value; });
            own = std::max(own, bits_of(sum) << 1 >> 1);
        }
        uint64_t seen = largest.load(std::memory_order_relaxed);
        while (seen < own && !largest.compare_exchange_weak(seen, own, std::memory_order_relaxed)) {
        }
    });
    return double_from_bits(largest.load(std::memory_order_relaxed));
}

void kid_pairs::run(crew &team)
{
    if (!team.proceed(0, total_))
        return;
    for (int i = 0; i < 2; ++i)
        largest_[i] = largest_square(team, estimate_.set(i).view);
    if (!estimate_.choose_unit(largest_))
        return;
    for (int64_t index = 0; index < estimate_.count(); ++index) {
        if (estimate_.has_subsets()) {
            estimate_.draw(team, index);
            for (row_block &block : blocks_)
                block.set = nullptr;
        }
        if (!add_all(team, index))
            return;
    }
    team.proceed(total_, total_);
}

bool kid_pairs::add_all(crew &team, int64_t index)
{
    const row_set &first = estimate_.set(0);
    const row_set &second = estimate_.set(1);
    pair_sums sums[kinds_of_pairs] = {};
    // In an order that finds rows where they are.
    if (!add_pairs(team, first, first, true, &sums[within_first]) ||
        !add_pairs(team, first, second, false, &sums[between_sets]) ||
        !add_pairs(team, second, second, true, &sums[within_second]))
        return false;
    estimate_.take(index, sums);
    return true;
}

// Within one set the blocks on and below the diagonal suffice.
bool kid_pairs::add_pairs(crew &team, const row_set &left, const row_set &right, bool within, pair_sums *total)
{
    for (int64_t i = 0; i < left.count; i += block_rows_) {
        const int64_t rows = std::min(block_rows_, left.count - i);
        for (int64_t j = 0; j < (within ? i + rows : right.count); j += block_rows_) {
            if (!team.proceed(done_++, total_))
                return false;
            const bool on_diagonal = within && j == i;
            const int64_t columns = std::min(block_rows_, right.count - j);
            const double *const a = load(team, left, i, rows, nullptr);
            const double *const b = load(team, right, j, columns, a);
            product_.run(team, {.a = {a, features_, true},
                                .b = {b, features_, true},
                                .c = products_,
                                .rows = rows,
                                .columns = columns,
                                .depth = features_,
                                .subtract = false,
                                .lower_only = on_diagonal});
            add_block(team, rows, columns, on_diagonal, total);
        }
    }
    return true;
}

// The rows as doubles: where they are already, or in the block that is not `needed`.
const double *kid_pairs::load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed)
{
    for (const row_block &block : blocks_)
        if (block.set == &rows && block.first == first)
            return block.numbers;
    row_block &block = blocks_[blocks_[0].numbers == needed ? 1 : 0];
    block.set = &rows;
    block.first = first;
    team.each(quotient_up(count, least_item), least_item * features_, [&](int64_t item, int32_t) {
        for (int64_t i = item * least_item; i < std::min((item + 1) * least_item, count); ++i) {
            double *const to = block.numbers + i * features_;
            visit_row(rows.view, rows.row(first + i), [&](int64_t column, double value) { to[column] = value; });
        }
    });
    return block.numbers;
}

void kid_pairs::add_block(crew &team, int64_t rows, int64_t columns, bool on_diagonal, pair_sums *total)
{
    const int64_t items = quotient_up(columns, least_item);
    std::fill_n(of_items_, items, sums_of_item{});
    team.each(items, least_item * rows, [&](int64_t item, int32_t) {
        sums_of_item &own = of_items_[item];
        for (int64_t j = item * least_item; j < std::min((item + 1) * least_item, columns); ++j) {
            const double *const column = products_.column(j);
            const int64_t first = on_diagonal ? j + 1 : 0;
            int64_t pairs[kernel_levels] = {};
            kernels_.add_kernel_values(estimate_.kernel(), column + first, rows - first, pairs);
            own.pairs.add(pairs);
            if (on_diagonal) {
                int64_t diagonal[kernel_levels] = {};
                kernels_.add_kernel_values(estimate_.kernel(), column + j, 1, diagonal);
                own.diagonal.add(diagonal);
            }
        }
    });
    for (int64_t item = 0; item < items; ++item) {
        total->pairs.add(of_items_[item].pairs.levels);
        total->diagonal.add(of_items_[item].diagonal.levels);
    }
}

void kid_pairs::check_rows() const
{
    for (int i = 0; i < 2; ++i) {
        if (!is_finite(largest_[i]))
            check_finite(estimate_.set(i).view, kid_set_names[i]);
        estimate_.check_bound(i);
    }
}

} // namespace

mean_and_deviation kid_on_cpu(context &where, kid_estimate &estimate)
{
    kid_pairs work(where, estimate);
    const int64_t pairs = estimate.set(0).count * estimate.set(1).count;
    crew::run(where, workers_for(where, where.threads(), pairs), [&](crew &team) { work.run(team); });
    work.check_rows();
    return estimate.result();
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// KID: means of a polynomial kernel over pairs of rows. Dot products come block by block from the fixed-order matrix
// product of the trace term; kernel values are summed as integers, so that no split into blocks and threads matters.
#include <atomic>

#include "arith/polynomial_kernel.h"
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/fid_product.hpp"
#include "metrics/metrics.hpp"
#include "metrics/table_rows.hpp"

namespace iqa {

namespace {

constexpr int32_t most_degree = 16;
constexpr int32_t most_subsets = 100'000;
constexpr int64_t most_rows = int64_t(1) << 31;

// Rows of each set whose products are computed at once: the usual subset in one piece.
constexpr int64_t most_block_rows = 1024;

// Rows or columns of one item of work.
constexpr int64_t least_item = 16;

// Beyond it no power of two could bring kernel values below 1.
constexpr double largest_value = 0x1p1000;

constexpr const char *set_names[2] = {"reference", "candidate"};

int64_t quotient_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

struct level_sums {
    int128 levels[kernel_levels];

    template <class Integer>
    void add(const Integer *sums)
    {
        for (int level = 0; level < kernel_levels; ++level)
            levels[level] += sums[level];
    }
};

// Sums over pairs of rows; within one set each pair of different rows is taken once. A cache line for each item.
struct alignas(64) pair_sums {
    level_sums pairs;
    level_sums diagonal;
};

// Rows as doubles, and which they are.
struct row_block {
    double *numbers;
    const row_set *set; // NULL: none yet
    int64_t first;
};

class kid_computation {
public:
    kid_computation(context &where, const iqa_kid_options &options, const table_view (&tables)[2]);

    void run(crew &team);

    // After run(): what was wrong with the features, or the result.
    mean_and_deviation result() const;

private:
    bool find_unit(crew &team);
    void draw(crew &team, int64_t subset);
    bool estimate(crew &team, double *value);
    bool add_pairs(crew &team, const row_set &left, const row_set &right, bool within, pair_sums *total);
    const double *load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed);
    void add_block(crew &team, int64_t rows, int64_t columns, bool on_diagonal, pair_sums *total);
    double_double mean_within(int64_t count, const pair_sums &sums) const;
    int64_t blocks_of_estimate() const;
    bool has_subsets() const { return options_.subsets > 0; }

    const iqa_kid_options options_;
    const fid_kernels &kernels_;
    const int64_t features_;
    polynomial_kernel kernel_;
    row_set sets_[2];
    const int64_t block_rows_;
    multiplier product_;
    scratch memory_;
    scratch keys_memory_;
    scratch values_memory_;
    row_block blocks_[2] = {};
    matrix products_;
    pair_sums *of_items_;
    keyed_row *keys_[2] = {};
    std::span<double> values_;
    double largest_[2] = {}; // dot products of rows with themselves
    double bounds_[2] = {};  // of kernel values
    int64_t done_ = 0;
    int64_t total_;
};

int64_t rows_of_estimate(const iqa_kid_options &options, const table_view &table)
{
    return options.subsets > 0 ? options.subset_size : table.rows;
}

kid_computation::kid_computation(context &where, const iqa_kid_options &options, const table_view (&tables)[2])
    : options_(options),
      kernels_(fid_kernels_for(where)),
      features_(tables[0].columns),
      kernel_{options.gamma == IQA_KID_GAMMA_AUTO ? 1.0 / double(features_) : options.gamma, options.coef0,
              options.degree, 1.0, false},
      sets_{{tables[0], nullptr, rows_of_estimate(options, tables[0])},
            {tables[1], nullptr, rows_of_estimate(options, tables[1])}},
      block_rows_(std::min(most_block_rows, std::max(sets_[0].count, sets_[1].count))),
      product_(where, kernels_, block_rows_),
      memory_(where),
      keys_memory_(where),
      values_memory_(where)
{
    const auto block = size_t(block_rows_ * features_);
    const auto products = size_t(block_rows_ * block_rows_);
    constexpr size_t sums = most_block_rows / least_item * sizeof(pair_sums) / sizeof(double);
    double *const memory = memory_.take<double>(sums + 2 * block + products, "blocks of rows and of their products");
    of_items_ = reinterpret_cast<pair_sums *>(memory);
    blocks_[0].numbers = memory + sums;
    blocks_[1].numbers = blocks_[0].numbers + block;
    products_ = {blocks_[1].numbers + block, block_rows_};
    if (has_subsets()) {
        const auto first = size_t(tables[0].rows);
        keys_[0] = keys_memory_.take<keyed_row>(first + size_t(tables[1].rows), "the drawing of subsets");
        keys_[1] = keys_[0] + first;
    }
    const auto values = size_t(has_subsets() ? options.subsets : 1);
    values_ = {values_memory_.take<double>(values, "the values of subsets"), values};
    total_ = int64_t(values) * blocks_of_estimate();
}

int64_t kid_computation::blocks_of_estimate() const
{
    const int64_t blocks[2] = {quotient_up(sets_[0].count, block_rows_), quotient_up(sets_[1].count, block_rows_)};
    return (blocks[0] * (blocks[0] + 1) + blocks[1] * (blocks[1] + 1)) / 2 + blocks[0] * blocks[1];
}

void kid_computation::run(crew &team)
{
    if (!team.proceed(0, total_) || !find_unit(team))
        return;
    for (size_t i = 0; i < values_.size(); ++i) {
        if (has_subsets())
            draw(team, int64_t(i));
        if (!estimate(team, &values_[i]))
            return;
    }
    team.proceed(total_, total_);
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

// All features are looked at, drawn or not: whether a call fails shall not depend on the seed.
bool kid_computation::find_unit(crew &team)
{
    for (int i = 0; i < 2; ++i)
        largest_[i] = largest_square(team, sets_[i].view);
    for (int i = 0; i < 2; ++i)
        bounds_[i] = largest_kernel_value(kernel_, largest_[i]);
    if (!(bounds_[0] <= largest_value) || !(bounds_[1] <= largest_value))
        return false;
    const double largest = std::max(largest_[0], largest_[1]);
    kernel_.without_constant = kernel_.gamma * largest < small_addend * kernel_.coef0;
    const double bound = largest_kernel_value(kernel_, largest);
    if (bound >= 1.0 / largest_value) // else hardly anything but zeros is left
        kernel_.unit = power_of_two(-exponent_of(bound) - 2);
    return true;
}

void kid_computation::draw(crew &team, int64_t subset)
{
    team.each(2, sets_[0].view.rows + sets_[1].view.rows, [&](int64_t side, int32_t) {
        draw_rows(options_.seed, uint64_t(2 * subset + side), sets_[side].view.rows, sets_[side].count, keys_[side]);
        sets_[side].chosen = keys_[side];
        blocks_[side].set = nullptr;
    });
}

bool kid_computation::estimate(crew &team, double *value)
{
    pair_sums sums[3] = {};
    // In an order that finds rows where they are.
    if (!add_pairs(team, sets_[0], sets_[0], true, &sums[0]) || !add_pairs(team, sets_[0], sets_[1], false, &sums[2]) ||
        !add_pairs(team, sets_[1], sets_[1], true, &sums[1]))
        return false;
    const double_double within = add(mean_within(sets_[0].count, sums[0]), mean_within(sets_[1].count, sums[1]));
    const double_double between = divide(value_of_levels(sums[2].pairs.levels),
                                         multiply({double(sets_[0].count), 0.0}, {double(sets_[1].count), 0.0}));
    *value = add(within, {-2.0 * between.high, -2.0 * between.low}).high / kernel_.unit;
    return true;
}

double_double kid_computation::mean_within(int64_t count, const pair_sums &sums) const
{
    const bool biased = options_.estimator == IQA_KID_BIASED;
    level_sums sum = sums.pairs;
    sum.add(sums.pairs.levels);
    if (biased)
        sum.add(sums.diagonal.levels);
    return divide(value_of_levels(sum.levels),
                  multiply({double(count), 0.0}, {double(biased ? count : count - 1), 0.0}));
}

// Within one set the blocks on and below the diagonal suffice.
bool kid_computation::add_pairs(crew &team, const row_set &left, const row_set &right, bool within, pair_sums *total)
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
const double *kid_computation::load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed)
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

void kid_computation::add_block(crew &team, int64_t rows, int64_t columns, bool on_diagonal, pair_sums *total)
{
    const int64_t items = quotient_up(columns, least_item);
    std::fill_n(of_items_, items, pair_sums{});
    team.each(items, least_item * rows, [&](int64_t item, int32_t) {
        for (int64_t j = item * least_item; j < std::min((item + 1) * least_item, columns); ++j) {
            const double *const column = products_.column(j);
            const int64_t first = on_diagonal ? j + 1 : 0;
            int64_t pairs[kernel_levels] = {};
            kernels_.add_kernel_values(kernel_, column + first, rows - first, pairs);
            of_items_[item].pairs.add(pairs);
            if (on_diagonal) {
                int64_t own[kernel_levels] = {};
                kernels_.add_kernel_values(kernel_, column + j, 1, own);
                of_items_[item].diagonal.add(own);
            }
        }
    });
    for (int64_t item = 0; item < items; ++item) {
        total->pairs.add(of_items_[item].pairs.levels);
        total->diagonal.add(of_items_[item].diagonal.levels);
    }
}

mean_and_deviation kid_computation::result() const
{
    for (int i = 0; i < 2; ++i) {
        if (!is_finite(largest_[i]))
            check_finite(sets_[i].view, set_names[i]);
        if (!(bounds_[i] <= largest_value))
            fail(IQA_ERROR_NUMERIC, set_names[i], " has a row whose kernel value with itself is ", bounds_[i],
                 "; expected at most ", largest_value);
    }
    return mean_and_deviation_of(values_);
}

void check(const iqa_kid_options &options)
{
    if (options.degree < 1 || options.degree > most_degree)
        fail(IQA_ERROR_INVALID_ARGUMENT, "degree is ", options.degree, "; expected 1 to ", most_degree);
    if (!(options.gamma > 0.0 || options.gamma == IQA_KID_GAMMA_AUTO) || !is_finite(options.gamma))
        fail(IQA_ERROR_INVALID_ARGUMENT, "gamma is ", options.gamma,
             "; expected a number above 0, or IQA_KID_GAMMA_AUTO for 1 / D");
    if (!(options.coef0 >= 0.0) || !is_finite(options.coef0))
        fail(IQA_ERROR_INVALID_ARGUMENT, "coef0 is ", options.coef0, "; expected 0 or more");
    check_constant("estimator", options.estimator, IQA_KID_BIASED, "IQA_KID_");
    if (options.subsets < 0 || options.subsets > most_subsets)
        fail(IQA_ERROR_INVALID_ARGUMENT, "subsets is ", options.subsets, "; expected 0, for all rows at once, to ",
             most_subsets);
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (options.subsets > 0 && options.subset_size < least)
        fail(IQA_ERROR_INVALID_ARGUMENT, "subset_size is ", options.subset_size, "; expected ", least, " or more");
}

void check_rows(const iqa_kid_options &options, const table_view &table, const char *name)
{
    if (table.rows > most_rows)
        fail(IQA_ERROR_SHAPE, name, " has ", table.rows, " rows; expected at most ", most_rows);
    if (options.subsets > 0 && table.rows < options.subset_size)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows, fewer than subset_size, ",
             options.subset_size, "; lower it, or set subsets to 0 for all rows");
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (table.rows < least)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows; at least ", least,
             least == 1 ? " is" : " are", " needed");
}

} // namespace

mean_and_deviation measure_kid(context &where, const iqa_kid_options &options, const iqa_tensor &reference,
                               const iqa_tensor &candidate)
{
    check(options);
    const table_view first = view_table_on_cpu(reference, set_names[0], any_columns);
    const table_view tables[2] = {first, view_table_on_cpu(candidate, set_names[1], first.columns)};
    for (int i = 0; i < 2; ++i)
        check_rows(options, tables[i], set_names[i]);
    kid_computation work(where, options, tables);
    const int64_t pairs = rows_of_estimate(options, tables[0]) * rows_of_estimate(options, tables[1]);
    crew::run(where, workers_for(where, where.threads(), pairs), [&](crew &team) { work.run(team); });
    return work.result();
}

} // namespace iqa

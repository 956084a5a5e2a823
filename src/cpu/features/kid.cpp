// SPDX-License-Identifier: MIT
// KID's sums over pairs of rows, and rows of tables for error texts. Dot products come block by block from the
// fixed-order matrix product of the trace term; kernel values are summed as integers, so that no split into blocks and
// threads matters.
#include <atomic>

#include "cpu/backend.hpp"
#include "cpu/features/product.hpp"
#include "cpu/features/table_rows.hpp"
#include "values/kid.hpp"

namespace iqa {

namespace {

// Rows of each set whose products are computed at once; the usual subset fits.
constexpr int64_t most_block_rows = 1024;

// Rows or columns of one item of work.
constexpr int64_t least_item = 16;

// The sums of an item of work, in cache lines of their own.
struct alignas(64) item_sums : pair_sums {};

// Rows of a set as doubles.
struct row_block {
    double *numbers;
    const row_set *set; // NULL: empty
    int64_t first;
};

class kid_pairs {
public:
    kid_pairs(context &where, memory_source &memory, kernel_means_request &request);

    void run(crew &team);

private:
    void draw(crew &team, int64_t index);
    bool add_all(crew &team, int64_t index);
    bool add_pairs(crew &team, const row_set &left, const row_set &right, bool within, pair_sums *total);
    rows_view load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed);
    void add_block(crew &team, matrix_ref products, bool on_diagonal, pair_sums *total);
    int64_t blocks_of_estimate() const;

    kernel_means_request &request_;
    const fid_kernels &kernels_;
    const int64_t features_;
    const int64_t block_rows_;
    multiplier product_;
    scratch memory_;
    scratch keys_memory_;
    keyed_row *keys_[2];
    row_block blocks_[2] = {};
    double *products_;
    item_sums *item_sums_;
    int64_t done_ = 0;
    int64_t total_;
};

kid_pairs::kid_pairs(context &where, memory_source &memory, kernel_means_request &request)
    : request_(request),
      kernels_(fid_kernels_for(where)),
      features_(request.sets[0].view.columns),
      block_rows_(std::min(most_block_rows, std::max(request.sets[0].count, request.sets[1].count))),
      product_(where, kernels_, block_rows_),
      memory_(memory),
      keys_memory_(memory)
{
    const auto block = size_t(block_rows_ * features_);
    const auto products = size_t(block_rows_ * block_rows_);
    constexpr size_t sums = most_block_rows / least_item * sizeof(item_sums) / sizeof(double);
    double *const numbers = memory_.take<double>(sums + 2 * block + products, "blocks of rows and of their products");
    item_sums_ = reinterpret_cast<item_sums *>(numbers);
    blocks_[0].numbers = numbers + sums;
    blocks_[1].numbers = blocks_[0].numbers + block;
    products_ = blocks_[1].numbers + block;
    total_ = request.estimates * blocks_of_estimate();
    if (request.draws) {
        const auto first = size_t(request.sets[0].view.rows);
        keys_[0] = keys_memory_.take<keyed_row>(first + size_t(request.sets[1].view.rows), "the drawing of subsets");
        keys_[1] = keys_[0] + first;
    }
}

int64_t kid_pairs::blocks_of_estimate() const
{
    const int64_t blocks[2] = {divide_up(request_.sets[0].count, block_rows_),
                               divide_up(request_.sets[1].count, block_rows_)};
    return (blocks[0] * (blocks[0] + 1) + blocks[1] * (blocks[1] + 1)) / 2 + blocks[0] * blocks[1];
}

// The largest dot product of a row with itself; infinite or NaN if a number is non-finite, or too large.
double largest_square(crew &team, const table_view &table)
{
    constexpr int64_t most_items = 1 << 18;
    const int64_t rows_of_item = std::max(least_item, divide_up(table.rows, most_items));
    std::atomic<uint64_t> largest = 0; // bits of a double, ordered as its values
    team.each(divide_up(table.rows, rows_of_item), rows_of_item * table.columns, [&](int64_t item, int32_t) {
        uint64_t largest_of_item = 0;
        for (int64_t row = item * rows_of_item; row < std::min((item + 1) * rows_of_item, table.rows); ++row) {
            double sum = 0.0;
            visit_row(table, row, [&](int64_t, double value) { sum += value * value; });
            largest_of_item = std::max(largest_of_item, bits_of(sum) << 1 >> 1);
        }
        uint64_t seen = largest.load(std::memory_order_relaxed);
        while (seen < largest_of_item &&
               !largest.compare_exchange_weak(seen, largest_of_item, std::memory_order_relaxed)) {
        }
    });
    return double_from_bits(largest.load(std::memory_order_relaxed));
}

void kid_pairs::run(crew &team)
{
    if (!team.proceed(0, total_))
        return;
    for (int i = 0; i < 2; ++i) {
        const table_view &table = request_.sets[i].view;
        const double largest = largest_square(team, table);
        request_.squares[i] = {largest, is_finite(largest) ? -1 : first_nonfinite_row(table)};
    }
    if (!choose_unit(request_.kernel, request_.squares[0].largest, request_.squares[1].largest))
        return;
    for (int64_t index = 0; index < request_.estimates; ++index) {
        if (request_.draws)
            draw(team, index);
        if (!add_all(team, index))
            return;
    }
    team.proceed(total_, total_);
}

void kid_pairs::draw(crew &team, int64_t index)
{
    team.each(2, request_.sets[0].view.rows + request_.sets[1].view.rows, [&](int64_t set, int32_t) {
        request_.draw(index, set, keys_[set]);
        request_.sets[set].chosen = keys_[set];
    });
    for (row_block &block : blocks_)
        block.set = nullptr;
}

bool kid_pairs::add_all(crew &team, int64_t index)
{
    const row_set &first = request_.sets[0];
    const row_set &second = request_.sets[1];
    pair_sums sums[kinds_of_pairs] = {};
    // In an order that reuses loaded rows.
    if (!add_pairs(team, first, first, true, &sums[within_first]) ||
        !add_pairs(team, first, second, false, &sums[between_sets]) ||
        !add_pairs(team, second, second, true, &sums[within_second]))
        return false;
    request_.values[index] = kid_value(sums, first.count, second.count, request_.biased, request_.kernel.unit);
    return true;
}

// Within one set only blocks on and below the diagonal are computed.
bool kid_pairs::add_pairs(crew &team, const row_set &left, const row_set &right, bool within, pair_sums *total)
{
    for (int64_t i = 0; i < left.count; i += block_rows_) {
        const int64_t rows = std::min(block_rows_, left.count - i);
        for (int64_t j = 0; j < (within ? i + rows : right.count); j += block_rows_) {
            if (!team.proceed(done_++, total_))
                return false;
            const bool on_diagonal = within && j == i;
            const int64_t columns = std::min(block_rows_, right.count - j);
            const rows_view a = load(team, left, i, rows, nullptr);
            const rows_view b = load(team, right, j, columns, a.data());
            Eigen::Map<Eigen::MatrixXd> products(products_, rows, columns);
            product_.assign(team, a, b, products, on_diagonal ? part::lower : part::whole);
            add_block(team, products, on_diagonal, total);
        }
    }
    return true;
}

// The rows as doubles: a block that holds them already, or the block that is not `needed`.
rows_view kid_pairs::load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed)
{
    for (const row_block &block : blocks_)
        if (block.set == &rows && block.first == first)
            return {block.numbers, count, features_};
    row_block &block = blocks_[blocks_[0].numbers == needed ? 1 : 0];
    block.set = &rows;
    block.first = first;
    team.each(divide_up(count, least_item), least_item * features_, [&](int64_t item, int32_t) {
        for (int64_t i = item * least_item; i < std::min((item + 1) * least_item, count); ++i) {
            double *const to = block.numbers + i * features_;
            visit_row(rows.view, rows.row(first + i), [&](int64_t column, double value) { to[column] = value; });
        }
    });
    return {block.numbers, count, features_};
}

void kid_pairs::add_block(crew &team, matrix_ref products, bool on_diagonal, pair_sums *total)
{
    const int64_t rows = products.rows();
    const int64_t columns = products.cols();
    const int64_t items = divide_up(columns, least_item);
    std::fill_n(item_sums_, items, item_sums{});
    team.each(items, least_item * rows, [&](int64_t item, int32_t) {
        item_sums &sums = item_sums_[item];
        for (int64_t j = item * least_item; j < std::min((item + 1) * least_item, columns); ++j) {
            const double *const column = products.col(j).data();
            const int64_t first = on_diagonal ? j + 1 : 0;
            int64_t pairs[kernel_limbs] = {};
            kernels_.add_kernel_values(request_.kernel, column + first, rows - first, pairs);
            sums.pairs.add(pairs);
            if (on_diagonal) {
                int64_t diagonal[kernel_limbs] = {};
                kernels_.add_kernel_values(request_.kernel, column + j, 1, diagonal);
                sums.diagonal.add(diagonal);
            }
        }
    });
    for (int64_t item = 0; item < items; ++item) {
        total->pairs.add(item_sums_[item].pairs.limbs);
        total->diagonal.add(item_sums_[item].diagonal.limbs);
    }
}

} // namespace

void cpu_kernel_means(context &where, int32_t, memory_source &memory, kernel_means_request &request)
{
    kid_pairs work(where, memory, request);
    const int64_t pairs = request.sets[0].count * request.sets[1].count;
    crew::run(where, workers_for(where, where.threads(), pairs), [&](crew &team) { work.run(team); });
}

void cpu_fetch_row(context &, int32_t, memory_source &, const table_view &table, int64_t row, double *numbers)
{
    visit_row(table, row, [&](int64_t column, double value) { numbers[column] = value; });
}

} // namespace iqa

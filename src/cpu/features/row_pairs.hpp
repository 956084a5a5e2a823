// SPDX-License-Identifier: MIT
// Dot products of all pairs of rows of two sets, block by block, from the fixed-order matrix product of the trace term.
// No matrix of all pairs is held.
#pragma once

#include <algorithm>

#include "backend/features.hpp"
#include "cpu/features/product.hpp"
#include "cpu/features/table_rows.hpp"

namespace iqa {

class row_pairs {
public:
    // Rows of each set whose products are computed at once; the usual subset of KID fits.
    static constexpr int64_t most_block_rows = 1024;
    // Rows or columns of one item of work.
    static constexpr int64_t least_item = 16;

    // A block of products: of the rows from `first_row` of the left set with those from `first_column` of the right.
    struct block {
        matrix_ref products;
        int64_t first_row, first_column;
        bool on_diagonal; // of one set with itself: only elements on and below the diagonal are specified
    };

    // `most_rows`: of any set.
    row_pairs(context &where, memory_source &memory, const fid_kernels &kernels, int64_t features, int64_t most_rows)
        : features_(features),
          block_rows_(std::min(most_block_rows, most_rows)),
          product_(where, kernels, block_rows_),
          memory_(memory)
    {
        const auto of_rows = size_t(block_rows_ * features_);
        const auto of_products = size_t(block_rows_ * block_rows_);
        blocks_[0].numbers = memory_.take<double>(2 * of_rows + of_products, "blocks of rows and of their products");
        blocks_[1].numbers = blocks_[0].numbers + of_rows;
        products_ = blocks_[1].numbers + of_rows;
    }

    int64_t blocks_within(int64_t rows) const
    {
        const int64_t blocks = divide_up(rows, block_rows_);
        return blocks * (blocks + 1) / 2;
    }
    int64_t blocks_between(int64_t rows, int64_t columns) const
    {
        return divide_up(rows, block_rows_) * divide_up(columns, block_rows_);
    }

    // From now on rows are rounded to the grid of this gain. Without a call they are taken as they are.
    void round_to(double gain)
    {
        gain_ = gain;
        forget();
    }
    // To be called when sets have other rows.
    void forget()
    {
        for (row_block &loaded : blocks_)
            loaded.set = nullptr;
    }

    // Calls visit(block) for all pairs of a row of `left` and one of `right`, or for all pairs within a set, which is
    // then both: each once, in blocks on and below the diagonal. `proceed` is called before each block; false ends the
    // visits, and is returned.
    template <class Proceed, class Visit>
    bool each(crew &team, const row_set &left, const row_set &right, Proceed &&proceed, Visit &&visit);

private:
    // Rows of a set as doubles.
    struct row_block {
        double *numbers;
        const row_set *set; // NULL: empty
        int64_t first;
    };

    rows_view load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed);

    const int64_t features_;
    const int64_t block_rows_;
    multiplier product_;
    scratch memory_;
    row_block blocks_[2] = {};
    double *products_;
    double gain_ = 0.0; // 0: rows as they are
};

template <class Proceed, class Visit>
bool row_pairs::each(crew &team, const row_set &left, const row_set &right, Proceed &&proceed, Visit &&visit)
{
    const bool within = &left == &right;
    for (int64_t i = 0; i < left.count; i += block_rows_) {
        const int64_t rows = std::min(block_rows_, left.count - i);
        for (int64_t j = 0; j < (within ? i + rows : right.count); j += block_rows_) {
            if (!proceed())
                return false;
            const bool on_diagonal = within && j == i;
            const int64_t columns = std::min(block_rows_, right.count - j);
            const rows_view a = load(team, left, i, rows, nullptr);
            const rows_view b = load(team, right, j, columns, a.data());
            Eigen::Map<Eigen::MatrixXd> products(products_, rows, columns);
            product_.assign(team, a, b, products, on_diagonal ? part::lower : part::whole);
            visit(block{products, i, j, on_diagonal});
        }
    }
    return true;
}

// The rows as doubles: a block that holds them already, or the block that is not `needed`.
inline rows_view row_pairs::load(crew &team, const row_set &rows, int64_t first, int64_t count, const double *needed)
{
    for (const row_block &loaded : blocks_)
        if (loaded.set == &rows && loaded.first == first)
            return {loaded.numbers, count, features_};
    row_block &target = blocks_[blocks_[0].numbers == needed ? 1 : 0];
    target.set = &rows;
    target.first = first;
    team.each(divide_up(count, least_item), least_item * features_, [&](int64_t item, int32_t) {
        for (int64_t i = item * least_item; i < std::min((item + 1) * least_item, count); ++i) {
            double *const to = target.numbers + i * features_;
            const int64_t row = rows.row(first + i);
            if (gain_ == 0.0)
                visit_row(rows.view, row, [&](int64_t column, double value) { to[column] = value; });
            else
                visit_row(rows.view, row, [&](int64_t column, double value) { to[column] = to_grid(value, gain_); });
        }
    });
    return {target.numbers, count, features_};
}

// Rows of a table as items of work.
struct items_of_rows {
    explicit items_of_rows(const table_view &table)
        : rows(std::max(row_pairs::least_item, divide_up(table.rows, most_items))), count(divide_up(table.rows, rows))
    {
    }

    static constexpr int64_t most_items = 1 << 18;
    const int64_t rows; // of an item
    const int64_t count;
};

// The largest dot product of a row with itself, and the first row with a number that is not finite.
row_squares look_at_rows(crew &team, const table_view &table);

} // namespace iqa

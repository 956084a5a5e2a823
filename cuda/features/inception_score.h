// SPDX-License-Identifier: MIT
// The Inception Score on a GPU: rows in the CPU's order of operations, sums over rows as integers.
#pragma once

#include "arith/class_scores.h"
#include "cuda/machine/per_thread.h"
#include "cuda/machine/table_rows.h"

namespace iqa::cuda {

// The constants of each row that give its probabilities from its scores. The probabilities are not kept: the kernel
// that sums them computes them again.
struct row_constants {
    double *largest; // [rows]: the largest logit
    double *sums;    // [rows]: the sum of the weights, or of the given probabilities
    double *negative_entropies;
};

// Finds the constants and faults of rows. A thread follows a row, twice.
struct look_at_rows {
    struct tally {
        uint64_t nonfinite, invalid; // complements of the first such row; 0: none
    };
    struct arguments {
        table_view table;
        bool logits;
        row_constants constants;
        tally *found; // zero before
    };
    static constexpr int threads = staged_rows::threads;
    static constexpr int shared_bytes = (2 * staged_rows::numbers + staged_rows::rows) * int(sizeof(double));

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const table_view &table = args.table;
        const int64_t first = block.index() * staged_rows::rows;
        auto *const numbers = reinterpret_cast<double *>(block.shared());
        double *const terms = numbers + staged_rows::numbers;
        double *const normalisers = terms + staged_rows::numbers; // the largest logit, or the sum of probabilities
        per_thread<Block, row, threads> rows;
        block.each(staged_rows::rows, [&](int i) { rows[i].largest = -__builtin_inf(); });
        staged_rows::each_chunk(block, table, first, numbers, [&](int count) {
            staged_rows::each_row(block, table, first, [&](int i) {
                for (int column = 0; column < count; ++column)
                    rows[i].see(numbers[i * staged_rows::stride + column]);
            });
        });
        block.each(staged_rows::rows, [&](int i) {
            normalisers[i] = args.logits ? rows[i].largest : rows[i].sum;
            rows[i].invalid =
                rows[i].nonfinite || (!args.logits && (rows[i].negative || !is_sum_of_probabilities(rows[i].sum)));
            if (args.logits)
                rows[i].sum = 0.0;
        });
        staged_rows::each_chunk(block, table, first, numbers, [&](int count) {
            block.each(staged_rows::rows * staged_rows::columns, [&](int i) {
                const double normaliser = normalisers[i / staged_rows::columns];
                const int at = i / staged_rows::columns * staged_rows::stride + i % staged_rows::columns;
                if (args.logits) {
                    const double exponent = softmax_exponent(numbers[at], normaliser);
                    numbers[at] = quick_exponential(exponent);
                    terms[at] = numbers[at] * exponent;
                } else {
                    terms[at] = negative_entropy_term(numbers[at] / normaliser);
                }
            });
            staged_rows::each_row(block, table, first, [&](int i) {
                for (int column = 0; column < count; ++column) {
                    if (args.logits)
                        rows[i].sum += numbers[i * staged_rows::stride + column];
                    rows[i].terms += terms[i * staged_rows::stride + column];
                }
            });
        });
        staged_rows::each_row(block, table, first, [&](int i) {
            args.constants.largest[first + i] = rows[i].largest;
            args.constants.sums[first + i] = rows[i].sum;
            args.constants.negative_entropies[first + i] =
                args.logits ? negative_entropy_of_softmax(rows[i].terms, rows[i].sum) : rows[i].terms;
            if (rows[i].nonfinite)
                keep_most(&args.found->nonfinite, ~uint64_t(first + i));
            if (rows[i].invalid)
                keep_most(&args.found->invalid, ~uint64_t(first + i));
        });
    }

private:
    struct row {
        double largest, sum, terms;
        bool nonfinite, negative, invalid;

        IQA_HD_MEMBER void see(double value)
        {
            largest = value > largest ? value : largest;
            sum += value;
            nonfinite = nonfinite || !is_finite(value);
            negative = negative || !(value >= 0.0);
        }
    };
};

// Sums the probabilities of each class over the rows of splits, and, as one more column, the negative entropies of the
// rows. A thread sums a column over a part of a split.
struct add_class_sums {
    struct arguments {
        row_set rows; // in the order of the splits
        bool logits;
        row_constants constants;
        int64_t splits;
        int64_t first_split, parts_of_split;
        wide_sum *sums; // [splits from the first one on][classes + 1]
    };
    static constexpr int threads = 256;
    static constexpr int64_t rows_of_part = 256;

    IQA_HD_MEMBER static int64_t groups_of(int64_t classes) { return classes / threads + 1; }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const table_view &table = args.rows.view;
        const int64_t first_column = block.index() % groups_of(table.columns) * threads;
        const int64_t part = block.index() / groups_of(table.columns) % args.parts_of_split;
        const int64_t split = block.index() / groups_of(table.columns) / args.parts_of_split;
        const int64_t begin =
            first_row_of_split(args.first_split + split, args.splits, args.rows.count) + part * rows_of_part;
        const int64_t end_of_split = first_row_of_split(args.first_split + split + 1, args.splits, args.rows.count);
        const int64_t end = begin + rows_of_part < end_of_split ? begin + rows_of_part : end_of_split;
        wide_sum *const sums = args.sums + split * (table.columns + 1);
        const int64_t left = table.columns + 1 - first_column;
        with_feature_type(table.type, [&](auto type) {
            const auto *data = reinterpret_cast<const decltype(type) *>(table.data);
            block.each(int(left < threads ? left : threads), [&](int i) {
                const int64_t column = first_column + i;
                int128 sum = 0;
                for (int64_t index = begin; index < end; ++index) {
                    const int64_t row = args.rows.row(index);
                    if (column == table.columns)
                        sum += in_score_units(args.constants.negative_entropies[row]);
                    else
                        sum += in_score_units(probability(
                            args, row, double(widen(data[row * table.row_stride + column * table.column_stride]))));
                }
                add(&sums[column], sum);
            });
        });
    }

private:
    IQA_KERNEL static double probability(const arguments &args, int64_t row, double score)
    {
        const double weight =
            args.logits ? quick_exponential(softmax_exponent(score, args.constants.largest[row])) : score;
        return weight / args.constants.sums[row];
    }
};

} // namespace iqa::cuda

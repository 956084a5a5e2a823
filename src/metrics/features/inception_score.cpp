// SPDX-License-Identifier: MIT
// Inception Score: checks and faults.
#include "arith/class_scores.h"
#include "core/options.hpp"
#include "metrics/features/device_call.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

// Throws for an invalid row; the text names the score, or the row.
[[noreturn]] void fail_for_scores(std::span<const double> scores, int64_t row)
{
    check_finite(scores, "scores", row);
    double sum = 0.0;
    for (size_t column = 0; column < scores.size(); ++column) {
        if (!(scores[column] >= 0.0 && scores[column] <= 1.0 + sum_tolerance))
            fail(IQA_ERROR_NUMERIC, "scores[", row, ", ", column, "] is ", scores[column],
                 "; expected a probability, from 0 to 1, or IQA_SCORES_LOGITS");
        sum += scores[column];
    }
    fail(IQA_ERROR_NUMERIC, "row ", row, " of scores sums to ", sum,
         "; expected probabilities, which sum to 1, or IQA_SCORES_LOGITS");
}

void check(const iqa_inception_score_options &options, const table_view &table)
{
    inception_score_option_table.check(options);
    check_reserved(options);
    check_most_rows(table, "scores");
    if (table.rows < options.splits)
        fail(IQA_ERROR_NO_DATA, "scores has ", table.rows, " rows; at least ", options.splits,
             " are needed, one for each split");
}

} // namespace

mean_and_deviation measure_inception_score(context &where, const iqa_inception_score_options &options,
                                           const iqa_tensor &scores)
{
    const backend &device = backend_of(scores, "scores");
    const table_view table = view_table(scores, "scores", any_columns);
    check(options, table);
    device_call call(where, device, scores.device_id);
    call.check_place("scores", scores);
    const auto splits = size_t(options.splits);
    const bool shuffles = options.shuffle != 0;
    const bool by_content = shuffles && options.draw_by == IQA_DRAW_BY_CONTENT;
    scratch memory(where);
    auto *const values = memory.take<double>(splits + (shuffles ? 2 * size_t(table.rows) : 0),
                                             "the scores of splits and the order of the rows");
    static_assert(sizeof(keyed_row) == 2 * sizeof(double));
    auto *const keys = shuffles ? reinterpret_cast<keyed_row *>(values + splits) : nullptr;
    scratch of_rows(where);
    auto *const numbers = by_content ? of_rows.take<uint64_t>(size_t(table.rows), "the numbers of rows") : nullptr;
    if (by_content)
        call.number_rows(table, numbers);
    if (shuffles)
        draw_rows(options.seed, 0, numbers, table.rows, table.rows, keys);
    split_scores_request request{
        .rows = {table, keys, table.rows},
        .logits = options.scores == IQA_SCORES_LOGITS,
        .splits = options.splits,
        .scores = values,
        .nonfinite_row = -1,
        .invalid_row = -1,
    };
    call.run(&backend::split_scores, request);
    const int64_t bad = request.nonfinite_row >= 0 ? request.nonfinite_row : request.invalid_row;
    if (bad >= 0)
        fail_for_scores(call.fetch_row(table, bad), bad);
    return mean_and_deviation_of({values, splits});
}

} // namespace iqa

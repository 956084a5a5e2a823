// SPDX-License-Identifier: MIT
// Counts of classes from a state's lanes, and the scores that need all classes at once.
#include "metrics/confusion/scores.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "metrics/metrics.hpp"

namespace iqa {

namespace {

struct signed_cell {
    const int64_t *cell;
    int64_t factor;
};

double_double combined(int64_t width, std::initializer_list<signed_cell> cells)
{
    cell_sum sum{width, {}};
    for (const signed_cell &term : cells)
        sum.add(term.cell, term.factor);
    return value_of(sum);
}

void read_matrix(confusion_layout layout, const int64_t *lanes, std::span<class_counts> out, int64_t *sums)
{
    const int64_t width = layout.cell_lanes;
    const int64_t length = row_length(layout.classes);
    int64_t *rows = sums;
    int64_t *columns = sums + length * width;
    std::fill_n(sums, 2 * length * width, 0);
    for (int64_t row = 0; row < length; ++row)
        for (int64_t column = 0; column < length; ++column) {
            const int64_t *cell = lanes + (row * length + column) * width;
            add_cell(rows + row * width, cell, width, 1);
            add_cell(columns + column * width, cell, width, 1);
        }
    cell_sum total{width, {}};
    for (int64_t row = 0; row < length; ++row)
        total.add(rows + row * width, 1);
    for (size_t k = 0; k < out.size(); ++k) {
        const int64_t *row = rows + int64_t(k) * width;
        const int64_t *column = columns + int64_t(k) * width;
        const int64_t *diagonal = lanes + int64_t(k) * (length + 1) * width;
        out[k] = {combined(width, {{diagonal, 1}}), combined(width, {{column, 1}, {diagonal, -1}}),
                  combined(width, {{row, 1}, {diagonal, -1}}),
                  combined(width, {{total.digits, 1}, {row, -1}, {column, -1}, {diagonal, 1}})};
    }
}

} // namespace

void read_class_counts(confusion_layout layout, const int64_t *lanes, std::span<class_counts> out, int64_t *sums)
{
    if (layout.kind == confusion_layout::matrix)
        return read_matrix(layout, lanes, out, sums);
    for (size_t k = 0; k < out.size(); ++k)
        out[k] = counts_of_class(layout, lanes, int64_t(k));
}

ratio weighted_disagreement(confusion_layout layout, const int64_t *lanes, bool squared, double_double *sums)
{
    const int64_t classes = layout.classes;
    double_double *rows = sums;
    double_double *columns = sums + classes;
    std::fill_n(sums, 2 * classes, double_double{});
    const auto weight = [&](int64_t row, int64_t column) {
        const double distance = double(row < column ? column - row : row - column);
        return double_double{squared ? distance * distance : distance, 0.0};
    };
    double_double total{};
    double_double observed{};
    for (int64_t row = 0; row < classes; ++row)
        for (int64_t column = 0; column < classes; ++column) {
            const double_double value = cell_value(layout, lanes, row * row_length(classes) + column);
            if (is_zero(value))
                continue;
            rows[row] = add(rows[row], value);
            columns[column] = add(columns[column], value);
            total = add(total, value);
            observed = add(observed, multiply(weight(row, column), value));
        }
    double_double expected{};
    for (int64_t row = 0; row < classes; ++row) {
        if (is_zero(rows[row]))
            continue;
        double_double of_row{};
        for (int64_t column = 0; column < classes; ++column)
            of_row = add(of_row, multiply(weight(row, column), columns[column]));
        expected = add(expected, multiply(rows[row], of_row));
    }
    return {multiply(observed, total), expected};
}

void check_reading(const iqa_confusion_reading &reading, int32_t score, int64_t classes)
{
    check_constant("score", score, IQA_SCORE_KAPPA_QUADRATIC, "IQA_SCORE_");
    confusion_reading_table.check(reading);
    if (reading.excluded_count != (reading.excluded != nullptr ? classes : 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, "excluded_count is ", reading.excluded_count, "; expected ",
             reading.excluded != nullptr ? classes : 0,
             reading.excluded != nullptr ? ", the number of classes" : " because excluded is NULL");
    if (!has_average(score))
        return;
    if (reading.average == IQA_AVERAGE_UNSTATED)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the average is not stated: set average to IQA_AVERAGE_NONE, _MICRO, _MACRO, "
                                         "_WEIGHTED, _BINARY or _PAIRS");
    confusion_reading_table.check("average", reading);
}

void check_binary_average(const score_reader &reader)
{
    if (!has_binary_average(reader))
        fail(IQA_ERROR_INVALID_ARGUMENT, "IQA_AVERAGE_BINARY is the score of class 1 of 2, but there are ",
             reader.classes, reader.multilabel ? " labels" : " classes");
}

scored kappa(const score_reader &reader, ratio disagreement)
{
    if (is_zero(disagreement.denominator))
        return score_of_zero_division(reader);
    return {subtract({1.0, 0.0}, divide(disagreement.numerator, disagreement.denominator)).high, false};
}

scored correlation(const score_reader &reader, int32_t score, bool others)
{
    const std::span<const class_counts> all_counts(reader.counts, size_t(reader.classes));
    correlation_sums sums{};
    double_double total = total_of(reader.counts[0]);
    if (reader.multilabel) { // two classes, yes and no, summed over the labels
        class_counts summed{};
        for (const class_counts &counts : all_counts)
            summed = sum_of(summed, counts);
        total = total_of(summed);
        add_class(sums, summed.true_positive, support_of(summed), predicted_of(summed));
        add_class(sums, summed.true_negative, add(summed.true_negative, summed.false_positive),
                  add(summed.true_negative, summed.false_negative));
    } else {
        double_double rows = total;
        double_double columns = total;
        for (const class_counts &counts : all_counts) {
            add_class(sums, counts.true_positive, support_of(counts), predicted_of(counts));
            rows = subtract(rows, support_of(counts));
            columns = subtract(columns, predicted_of(counts));
        }
        if (others) // labels outside all classes are one more class, which is never right
            add_class(sums, {0.0, 0.0}, rows, columns);
    }
    if (score == IQA_SCORE_KAPPA)
        return kappa(reader, disagreement_of(sums, total));
    const ratio correlation = correlation_of(sums, total);
    if (!(correlation.denominator.high > 0.0))
        return score_of_zero_division(reader);
    return {correlation.numerator.high / std::sqrt(correlation.denominator.high), false};
}

} // namespace iqa

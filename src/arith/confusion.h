// SPDX-License-Identifier: MIT
// Confusion counts: the cells that a pair of labels adds to, and the formulas of the scores. Counts are exact integers;
// weights are exact fixed-point sums; a score is computed from them in double-doubles and rounded once at the end.
#pragma once

#include "arith/elementary.h"
#include "arith/exact_sum.h"

namespace iqa {

// Labels are counted as codes: 0 ... C - 1 for the classes, C for a label outside of them, and in the reference C + 1
// for an ignored one. A table of pairs has (C + 2) rows of (C + 1) columns: filling it needs no branch, and its last
// two rows and last column count the invalid and ignored labels.
constexpr int64_t row_length(int64_t classes)
{
    return classes + 1;
}

constexpr int64_t table_cells(int64_t classes)
{
    return (classes + 2) * row_length(classes);
}

// Weights: 0, and smallest_weight <= w < largest_weight, have all their bits on this format's grid.
constexpr exact_format weight_format = {8, -128};
constexpr double smallest_weight = 0x1p-76;
constexpr double largest_weight = 0x1p64;

IQA_HD bool has_exact_sums(double weight)
{
    return weight == 0.0 || (weight >= smallest_weight && weight < largest_weight);
}

// A weight is an integer of up to 53 bits times 2 to this power.
IQA_HD int weight_exponent(double weight)
{
    return weight == 0.0 ? 0 : exponent_of(weight) - 52;
}

// The digits of a weight: three of its format's, from the first on.
struct weight_digits {
    enum : int { count = 3 };
    int first;
    int64_t digit[count];
};

IQA_HD weight_digits digits_of_weight(double weight)
{
    if (weight == 0.0)
        return {0, {0, 0, 0}};
    const int position = weight_exponent(weight) - weight_format.lowest;
    const int shift = position & 31;
    const uint64_t integer = (bits_of(weight) & (~uint64_t(0) >> 12)) | uint64_t(1) << 52;
    const uint64_t lower = integer << shift;
    const uint64_t upper = integer >> 1 >> (63 - shift); // a shift by 64 has no meaning
    return {position >> 5, {int64_t(uint32_t(lower)), int64_t(lower >> 32), int64_t(upper)}};
}

// The cells of a state. A cell is one lane, or the digits of a sum of weights.
struct confusion_layout {
    enum : int32_t {
        matrix,    // (C + 1) x (C + 1): the last row and column hold the invalid labels that count as wrong
        per_class, // true positives, false positives, false negatives of each class; then the elements
        multilabel // true positives, false positives, false negatives, true negatives of each class
    } kind;
    int64_t classes;
    int64_t cell_lanes; // 1, or weight_format.digits
};

constexpr int64_t cells_of(confusion_layout layout)
{
    return layout.kind == confusion_layout::matrix      ? row_length(layout.classes) * row_length(layout.classes)
           : layout.kind == confusion_layout::per_class ? 3 * layout.classes + 1
                                                        : 4 * layout.classes;
}

constexpr int64_t lanes_of(confusion_layout layout)
{
    return cells_of(layout) * layout.cell_lanes;
}

// Returns the number of cells that one pair of codes adds to, and their indices. `label` is the class of a multilabel
// pair of yes (1) and no (0).
IQA_HD int cells_of_pair(confusion_layout layout, int64_t label, int64_t row, int64_t column, int64_t cells[3])
{
    const int64_t classes = layout.classes;
    switch (layout.kind) {
    case confusion_layout::matrix:
        cells[0] = row * row_length(classes) + column;
        return 1;
    case confusion_layout::multilabel:
        cells[0] = 4 * label + (row == 1 ? (column == 1 ? 0 : 2) : (column == 1 ? 1 : 3));
        return 1;
    default:
        break;
    }
    int count = 0;
    cells[count++] = 3 * classes;
    if (row == column && row < classes) {
        cells[count++] = 3 * row;
        return count;
    }
    if (column < classes)
        cells[count++] = 3 * column + 1;
    if (row < classes)
        cells[count++] = 3 * row + 2;
    return count;
}

IQA_HD double_double subtract(double_double a, double_double b)
{
    return add(a, {-b.high, -b.low});
}

IQA_HD double_double exact_double(int128 value)
{
    const double high = double(value);
    return {high, double(value - int128(high))};
}

// The value of exact lanes to twice the precision of a double.
IQA_HD double_double exact_double(exact_format format, const int64_t *lanes)
{
    const scaled_value head = exact_value(format, lanes);
    if (head.mantissa == 0.0)
        return {0.0, 0.0};
    int64_t rest[weight_format.digits];
    for (int i = 0; i < format.digits; ++i)
        rest[i] = lanes[i];
    const int128 mantissa = int128(head.mantissa * 0x1p52);
    exact_add(format, rest, -mantissa, head.exponent - 52);
    return {to_double(head), to_double(exact_value(format, rest))};
}

struct class_counts {
    double_double true_positive, false_positive, false_negative, true_negative;
};

IQA_HD double_double support_of(const class_counts &counts)
{
    return add(counts.true_positive, counts.false_negative);
}

IQA_HD double_double predicted_of(const class_counts &counts)
{
    return add(counts.true_positive, counts.false_positive);
}

IQA_HD double_double total_of(const class_counts &counts)
{
    return add(support_of(counts), add(counts.false_positive, counts.true_negative));
}

IQA_HD class_counts sum_of(const class_counts &a, const class_counts &b)
{
    return {add(a.true_positive, b.true_positive), add(a.false_positive, b.false_positive),
            add(a.false_negative, b.false_negative), add(a.true_negative, b.true_negative)};
}

struct ratio {
    double_double numerator, denominator;
};

IQA_HD ratio precision_of(const class_counts &counts)
{
    return {counts.true_positive, predicted_of(counts)};
}

IQA_HD ratio recall_of(const class_counts &counts)
{
    return {counts.true_positive, support_of(counts)};
}

IQA_HD ratio specificity_of(const class_counts &counts)
{
    return {counts.true_negative, add(counts.true_negative, counts.false_positive)};
}

IQA_HD ratio agreement_of(const class_counts &counts)
{
    return {add(counts.true_positive, counts.true_negative), total_of(counts)};
}

// (1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp), as (1 + b^2) tp / (b^2 support + predicted).
IQA_HD ratio f_score_of(const class_counts &counts, double beta)
{
    const double_double square = multiply({beta, 0.0}, {beta, 0.0});
    return {multiply(add({1.0, 0.0}, square), counts.true_positive),
            add(multiply(square, support_of(counts)), predicted_of(counts))};
}

IQA_HD ratio iou_of(const class_counts &counts)
{
    return {counts.true_positive, add(support_of(counts), counts.false_positive)};
}

// Matthews correlation of a matrix with c on the diagonal, s elements, t_k in row k and p_k in column k:
// (c s - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)). Products of counts below 2^53 are exact.
struct correlation_sums {
    double_double agreement, product, row_square, column_square;
};

IQA_HD void add_class(correlation_sums &sums, double_double agreement, double_double row, double_double column)
{
    sums.agreement = add(sums.agreement, agreement);
    sums.product = add(sums.product, multiply(row, column));
    sums.row_square = add(sums.row_square, multiply(row, row));
    sums.column_square = add(sums.column_square, multiply(column, column));
}

// The correlation is numerator / sqrt(denominator).
IQA_HD ratio correlation_of(const correlation_sums &sums, double_double total)
{
    const double_double square = multiply(total, total);
    return {subtract(multiply(sums.agreement, total), sums.product),
            multiply(subtract(square, sums.row_square), subtract(square, sums.column_square))};
}

// sum w O / sum w E with w = 1 off the diagonal: kappa is 1 less this.
IQA_HD ratio disagreement_of(const correlation_sums &sums, double_double total)
{
    return {multiply(subtract(total, sums.agreement), total), subtract(multiply(total, total), sums.product)};
}

} // namespace iqa

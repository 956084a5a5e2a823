// SPDX-License-Identifier: MIT
// Scores from the counts of classes: the classes that count, the value of 0 / 0, and averages over classes. Runs on the
// host for the totals, and on the samples' device for each sample. The formulas are in arith/confusion.h.
#pragma once

#include "arith/confusion.h"
#include "iqa_c.h"

namespace iqa {

// The first lanes of a confusion metric: its totals.
enum : int { sample_counter, element_counter, ignored_counter, invalid_counter, confusion_counters };

constexpr double no_score = __builtin_nan("");

// A score; averages leave it out if `skipped`.
struct scored {
    double value;
    bool skipped;
};

constexpr bool has_average(int32_t score)
{
    return score <= IQA_SCORE_IOU;
}

// Scores that need only the counts of single classes, and so exist for every sample.
constexpr bool is_of_classes(int32_t score)
{
    return score <= IQA_SCORE_GENERALIZED_DICE;
}

// ---- Counts

// Adds a multiple of a cell to a sum, lane by lane: exactly. Unsigned, so that counts beyond any real ones wrap
// instead of being undefined.
IQA_HD void add_cell(int64_t *sum, const int64_t *cell, int64_t lanes, int64_t factor)
{
    for (int64_t i = 0; i < lanes; ++i)
        sum[i] = int64_t(uint64_t(sum[i]) + uint64_t(cell[i]) * uint64_t(factor));
}

struct cell_sum {
    int64_t lanes;
    int64_t digits[weight_format.digits];

    IQA_HD_MEMBER void add(const int64_t *cell, int64_t factor) { add_cell(digits, cell, lanes, factor); }
};

IQA_HD double_double value_of(const cell_sum &sum)
{
    if (sum.lanes == 1)
        return exact_double(int128(sum.digits[0]));
    cell_sum canonical = sum;
    exact_carry(weight_format, canonical.digits);
    return exact_double(weight_format, canonical.digits);
}

// The value of one cell.
IQA_HD double_double cell_value(confusion_layout layout, const int64_t *lanes, int64_t cell)
{
    cell_sum sum{layout.cell_lanes, {}};
    sum.add(lanes + cell * layout.cell_lanes, 1);
    return value_of(sum);
}

// The counts of a class from a state's lanes, but for those of a matrix, which are sums over rows and columns.
IQA_HD class_counts counts_of_class(confusion_layout layout, const int64_t *lanes, int64_t index)
{
    if (layout.kind == confusion_layout::multilabel) {
        const int64_t first = 4 * index;
        return {cell_value(layout, lanes, first), cell_value(layout, lanes, first + 1),
                cell_value(layout, lanes, first + 2), cell_value(layout, lanes, first + 3)};
    }
    const int64_t first = 3 * index;
    cell_sum negatives{layout.cell_lanes, {}};
    negatives.add(lanes + 3 * layout.classes * layout.cell_lanes, 1);
    for (int64_t i = 0; i < 3; ++i)
        negatives.add(lanes + (first + i) * layout.cell_lanes, -1);
    return {cell_value(layout, lanes, first), cell_value(layout, lanes, first + 1),
            cell_value(layout, lanes, first + 2), value_of(negatives)};
}

// ---- Scores

struct score_reader {
    const class_counts *counts; // [classes]
    int64_t classes;
    iqa_confusion_reading reading; // checked
    bool multilabel;
    int64_t ignored_class; // that averages of IoU leave out for IQA_EMPTY_SKIP_IGNORED_IN_IOU; else -1
};

IQA_HD bool is_zero(double_double value)
{
    return value.high == 0.0;
}

// The class occurs neither in the reference nor in the candidate.
IQA_HD bool is_absent(const class_counts &counts)
{
    return is_zero(support_of(counts)) && is_zero(predicted_of(counts));
}

// True if averages of the score count the class.
IQA_HD bool is_included(const score_reader &reader, int32_t score, int64_t index)
{
    if (score == IQA_SCORE_IOU && index == reader.ignored_class)
        return false;
    return reader.reading.excluded == nullptr || reader.reading.excluded[index] == 0;
}

IQA_HD scored score_of_zero_division(const score_reader &reader)
{
    switch (reader.reading.zero_division) {
    case IQA_ZERO_DIVISION_ZERO:
        return {0.0, false};
    case IQA_ZERO_DIVISION_ONE:
        return {1.0, false};
    case IQA_ZERO_DIVISION_NAN:
        return {no_score, false};
    default:
        return {no_score, true};
    }
}

// If all classes were skipped the average is skipped; otherwise it is 0 / 0.
IQA_HD scored average_of_nothing(const score_reader &reader)
{
    if (reader.reading.empty == IQA_EMPTY_SKIP || reader.reading.empty == IQA_EMPTY_SKIP_UNREFERENCED)
        return {no_score, true};
    return score_of_zero_division(reader);
}

// The score of an absent class, or the average of absent classes alone.
IQA_HD scored score_of_absent(const score_reader &reader)
{
    switch (reader.reading.empty) {
    case IQA_EMPTY_ZERO:
        return {0.0, false};
    case IQA_EMPTY_ONE:
    case IQA_EMPTY_ONE_ELSE_ZERO:
        return {1.0, false};
    case IQA_EMPTY_NAN:
        return {no_score, false};
    default:
        return average_of_nothing(reader);
    }
}

IQA_HD scored score_of_ratio(const score_reader &reader, ratio value)
{
    if (is_zero(value.denominator))
        return score_of_zero_division(reader);
    return {divide(value.numerator, value.denominator).high, false};
}

IQA_HD ratio ratio_of(const score_reader &reader, int32_t score, const class_counts &counts)
{
    switch (score) {
    case IQA_SCORE_ACCURACY:
        return reader.multilabel ? agreement_of(counts) : recall_of(counts);
    case IQA_SCORE_PRECISION:
        return precision_of(counts);
    case IQA_SCORE_RECALL:
        return recall_of(counts);
    case IQA_SCORE_SPECIFICITY:
        return specificity_of(counts);
    case IQA_SCORE_F:
        return f_score_of(counts, reader.reading.beta);
    case IQA_SCORE_DICE:
        return f_score_of(counts, 1.0);
    default:
        return iou_of(counts);
    }
}

IQA_HD scored score_of_class(const score_reader &reader, int32_t score, int64_t index)
{
    const class_counts &counts = reader.counts[index];
    const int32_t empty = reader.reading.empty;
    const bool unreferenced = is_zero(support_of(counts));
    const bool absent = is_absent(counts);
    const bool skips_in_averages = empty == IQA_EMPTY_SKIP_IN_AVERAGES || empty == IQA_EMPTY_SKIP_IGNORED_IN_IOU;
    if (absent && empty != IQA_EMPTY_AS_RATIO && !skips_in_averages)
        return score_of_absent(reader);
    if (unreferenced && empty == IQA_EMPTY_ONE_ELSE_ZERO)
        return {0.0, false};
    if (unreferenced && empty == IQA_EMPTY_SKIP_UNREFERENCED)
        return {no_score, true};
    const scored quotient = score_of_ratio(reader, ratio_of(reader, score, counts));
    return {quotient.value, quotient.skipped || (absent && skips_in_averages)};
}

// True if a class that averages count occurs in the reference.
IQA_HD bool has_support(const score_reader &reader, int32_t score)
{
    for (int64_t k = 0; k < reader.classes; ++k)
        if (is_included(reader, score, k) && !is_zero(support_of(reader.counts[k])) &&
            !score_of_class(reader, score, k).skipped)
            return true;
    return false;
}

// Without support the scores of classes are still defined: each then weighs the same.
IQA_HD scored mean_of_classes(const score_reader &reader, int32_t score, bool by_support)
{
    const bool weighs = by_support && has_support(reader, score);
    ratio sum{};
    for (int64_t k = 0; k < reader.classes; ++k) {
        const double_double weight = weighs ? support_of(reader.counts[k]) : double_double{1.0, 0.0};
        if (!is_included(reader, score, k) || is_zero(weight))
            continue;
        const scored term = score_of_class(reader, score, k);
        if (term.skipped)
            continue;
        if (term.value != term.value)
            return {no_score, false};
        sum.numerator = add(sum.numerator, multiply(weight, {term.value, 0.0}));
        sum.denominator = add(sum.denominator, weight);
    }
    return is_zero(sum.denominator) ? average_of_nothing(reader) : score_of_ratio(reader, sum);
}

// The score of several classes together, from the sum of their counts.
IQA_HD scored score_of_sum(const score_reader &reader, ratio value, const class_counts &sum)
{
    return is_zero(value.denominator) && is_absent(sum) ? score_of_absent(reader) : score_of_ratio(reader, value);
}

// Micro, macro, weighted or binary; binary needs has_binary_average().
IQA_HD scored average_of_classes(const score_reader &reader, int32_t score, int32_t average)
{
    if (average == IQA_AVERAGE_MICRO) {
        class_counts sum{};
        for (int64_t k = 0; k < reader.classes; ++k)
            if (is_included(reader, score, k))
                sum = sum_of(sum, reader.counts[k]);
        return score_of_sum(reader, ratio_of(reader, score, sum), sum);
    }
    if (average != IQA_AVERAGE_BINARY)
        return mean_of_classes(reader, score, average == IQA_AVERAGE_WEIGHTED);
    return score == IQA_SCORE_ACCURACY
               ? score_of_sum(reader, agreement_of(reader.counts[1]), sum_of(reader.counts[0], reader.counts[1]))
               : score_of_class(reader, score, 1);
}

IQA_HD bool has_binary_average(const score_reader &reader)
{
    return !reader.multilabel && reader.classes == 2;
}

IQA_HD scored balanced_accuracy(const score_reader &reader)
{
    ratio sum{};
    for (int64_t k = 0; k < reader.classes; ++k) {
        const ratio recall = recall_of(reader.counts[k]);
        if (!is_included(reader, IQA_SCORE_BALANCED_ACCURACY, k) || is_zero(recall.denominator))
            continue;
        sum.numerator = add(sum.numerator, divide(recall.numerator, recall.denominator));
        sum.denominator = add(sum.denominator, {1.0, 0.0});
    }
    return is_zero(sum.denominator) ? average_of_nothing(reader) : score_of_ratio(reader, sum);
}

IQA_HD double generalized_weight(const score_reader &reader, double support)
{
    switch (reader.reading.generalized_weights) {
    case IQA_WEIGHTS_SQUARE:
        return 1.0 / (support * support);
    case IQA_WEIGHTS_SIMPLE:
        return 1.0 / support;
    default:
        return 1.0;
    }
}

IQA_HD scored generalized_dice(const score_reader &reader)
{
    double largest = 0.0;
    for (int64_t k = 0; k < reader.classes; ++k) {
        const double_double support = support_of(reader.counts[k]);
        const double weight = is_included(reader, IQA_SCORE_GENERALIZED_DICE, k) && !is_zero(support)
                                  ? generalized_weight(reader, support.high)
                                  : 0.0;
        largest = weight > largest ? weight : largest;
    }
    ratio sum{};
    bool predicted = false;
    for (int64_t k = 0; k < reader.classes; ++k) {
        if (!is_included(reader, IQA_SCORE_GENERALIZED_DICE, k))
            continue;
        const double support = support_of(reader.counts[k]).high;
        const double unseen = largest != 0.0 ? largest : 1.0;
        const double weight = support != 0.0 ? generalized_weight(reader, support) : unseen;
        const ratio dice = f_score_of(reader.counts[k], 1.0);
        sum.numerator = add(sum.numerator, multiply({weight, 0.0}, dice.numerator));
        sum.denominator = add(sum.denominator, multiply({weight, 0.0}, dice.denominator));
        predicted = predicted || !is_zero(dice.denominator);
    }
    return predicted ? score_of_ratio(reader, sum) : score_of_absent(reader);
}

// Scores without an average.
IQA_HD scored score_over_classes(const score_reader &reader, int32_t score)
{
    switch (score) {
    case IQA_SCORE_BALANCED_ACCURACY:
        return balanced_accuracy(reader);
    case IQA_SCORE_FREQUENCY_WEIGHTED_IOU:
        return mean_of_classes(reader, IQA_SCORE_IOU, true);
    default:
        return generalized_dice(reader);
    }
}

// One number, as `reading` asks.
IQA_HD scored score_of(const score_reader &reader, int32_t score)
{
    return has_average(score) ? average_of_classes(reader, score, reader.reading.average)
                              : score_over_classes(reader, score);
}

// ---- Sums over samples, as entries: a score with an average has one entry for each class and one for each average;
// the entries of scores without an average follow.

enum : int {
    scores_with_average = IQA_SCORE_IOU + 1,
    scores_without_average = IQA_SCORE_GENERALIZED_DICE - IQA_SCORE_IOU
};

// Micro, macro, weighted.
enum : int { sample_averages = 3 };
IQA_HD int32_t sample_average(int64_t index)
{
    return index == 0 ? IQA_AVERAGE_MICRO : index == 1 ? IQA_AVERAGE_MACRO : IQA_AVERAGE_WEIGHTED;
}

constexpr int64_t entries_of_samples(int64_t classes)
{
    return scores_with_average * (classes + sample_averages) + scores_without_average;
}

IQA_HD scored score_of_entry(const score_reader &reader, int64_t entry)
{
    const int64_t entries_of_score = reader.classes + sample_averages;
    const auto score = int32_t(entry / entries_of_score);
    const int64_t rest = entry % entries_of_score;
    if (score >= scores_with_average)
        return score_over_classes(reader,
                                  int32_t(entry - scores_with_average * entries_of_score) + scores_with_average);
    return rest < reader.classes ? score_of_class(reader, score, rest)
                                 : average_of_classes(reader, score, sample_average(rest - reader.classes));
}

// A score in units of unit_format's last digit.
IQA_HD int128 units_of_score(double score)
{
    return int128(score * 0x1p80);
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// All scores, each a few lines on the same counts.
#include "metrics/confusion_scores.hpp"

#include <algorithm>
#include <cmath>

#include "core/options.hpp"

namespace iqa {

namespace {

constexpr double not_a_number = __builtin_nan("");

bool is_zero(double_double value)
{
    return value.high == 0.0;
}

// Lanes of cells, added and taken away digit by digit: exactly. Unsigned, so that counts that nobody could have counted
// wrap instead of being undefined.
class amount {
public:
    explicit amount(int64_t lanes) : lanes_(lanes) {}

    amount &plus(const int64_t *cell) { return combine(cell, 1); }
    amount &minus(const int64_t *cell) { return combine(cell, -1); }

    double_double value() const
    {
        if (lanes_ == 1)
            return exact_double(int128(digits_[0]));
        int64_t canonical[weight_format.digits];
        std::copy_n(digits_, weight_format.digits, canonical);
        exact_carry(weight_format, canonical);
        return exact_double(weight_format, canonical);
    }

private:
    amount &combine(const int64_t *cell, int64_t factor)
    {
        for (int64_t i = 0; i < lanes_; ++i)
            digits_[i] = int64_t(uint64_t(digits_[i]) + uint64_t(cell[i]) * uint64_t(factor));
        return *this;
    }

    int64_t lanes_;
    int64_t digits_[weight_format.digits] = {};
};

void add_lanes_to(int64_t *sum, const int64_t *cell, int64_t lanes)
{
    for (int64_t i = 0; i < lanes; ++i)
        sum[i] = int64_t(uint64_t(sum[i]) + uint64_t(cell[i]));
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
            add_lanes_to(rows + row * width, cell, width);
            add_lanes_to(columns + column * width, cell, width);
        }
    amount total(width);
    for (int64_t row = 0; row < length; ++row)
        total.plus(rows + row * width);
    for (size_t k = 0; k < out.size(); ++k) {
        const int64_t *row = rows + int64_t(k) * width;
        const int64_t *column = columns + int64_t(k) * width;
        const int64_t *diagonal = lanes + int64_t(k) * (length + 1) * width;
        amount negatives = total;
        out[k] = {amount(width).plus(diagonal).value(), amount(width).plus(column).minus(diagonal).value(),
                  amount(width).plus(row).minus(diagonal).value(),
                  negatives.minus(row).minus(column).plus(diagonal).value()};
    }
}

} // namespace

double_double cell_value(confusion_layout layout, const int64_t *lanes, int64_t cell)
{
    return amount(layout.cell_lanes).plus(lanes + cell * layout.cell_lanes).value();
}

void read_class_counts(confusion_layout layout, const int64_t *lanes, std::span<class_counts> out, int64_t *sums)
{
    const int64_t width = layout.cell_lanes;
    switch (layout.kind) {
    case confusion_layout::matrix:
        read_matrix(layout, lanes, out, sums);
        break;
    case confusion_layout::per_class:
        for (size_t k = 0; k < out.size(); ++k) {
            const int64_t *own = lanes + 3 * int64_t(k) * width;
            amount negatives(width);
            negatives.plus(lanes + 3 * layout.classes * width);
            for (int i = 0; i < 3; ++i)
                negatives.minus(own + i * width);
            out[k] = {amount(width).plus(own).value(), amount(width).plus(own + width).value(),
                      amount(width).plus(own + 2 * width).value(), negatives.value()};
        }
        break;
    case confusion_layout::multilabel:
        for (size_t k = 0; k < out.size(); ++k) {
            const int64_t first = 4 * int64_t(k);
            out[k] = {cell_value(layout, lanes, first), cell_value(layout, lanes, first + 1),
                      cell_value(layout, lanes, first + 2), cell_value(layout, lanes, first + 3)};
        }
        break;
    }
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
    check_constant("over", reading.over, IQA_OVER_SAMPLES, "IQA_OVER_");
    check_constant("empty", reading.empty, IQA_EMPTY_SKIP_UNREFERENCED, "IQA_EMPTY_");
    check_constant("zero_division", reading.zero_division, IQA_ZERO_DIVISION_SKIP, "IQA_ZERO_DIVISION_");
    check_constant("generalized_weights", reading.generalized_weights, IQA_WEIGHTS_LINEAR, "IQA_WEIGHTS_");
    if (!(std::isfinite(reading.beta) && reading.beta > 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, "beta is ", reading.beta, "; expected a finite number above 0");
    if (reading.excluded_count != (reading.excluded != nullptr ? classes : 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, "excluded_count is ", reading.excluded_count, "; expected ",
             reading.excluded != nullptr ? classes : 0,
             reading.excluded != nullptr ? ", the number of classes" : " because excluded is NULL");
    if (!has_average(score))
        return;
    if (reading.average == IQA_AVERAGE_UNSTATED)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the average is not stated: set average to IQA_AVERAGE_NONE, _MICRO, _MACRO, "
                                         "_WEIGHTED, _BINARY or _PAIRS");
    check_constant("average", reading.average, IQA_AVERAGE_PAIRS, "IQA_AVERAGE_");
}

scored score_reader::zero_division() const
{
    switch (reading_.zero_division) {
    case IQA_ZERO_DIVISION_ZERO:
        return {0.0, false};
    case IQA_ZERO_DIVISION_ONE:
        return {1.0, false};
    case IQA_ZERO_DIVISION_NAN:
        return {not_a_number, false};
    default:
        return {not_a_number, true};
    }
}

// Where every class was left out the average is too; where classes count whatever happens it is 0 / 0.
scored score_reader::average_of_nothing() const
{
    if (reading_.empty == IQA_EMPTY_SKIP || reading_.empty == IQA_EMPTY_SKIP_UNREFERENCED)
        return {not_a_number, true};
    return zero_division();
}

scored score_reader::or_undefined(ratio value) const
{
    if (is_zero(value.denominator))
        return zero_division();
    return {divide(value.numerator, value.denominator).high, false};
}

ratio score_reader::ratio_of(int32_t score, const class_counts &counts) const
{
    switch (score) {
    case IQA_SCORE_ACCURACY:
        return multilabel_ ? agreement_of(counts) : recall_of(counts);
    case IQA_SCORE_PRECISION:
        return precision_of(counts);
    case IQA_SCORE_RECALL:
        return recall_of(counts);
    case IQA_SCORE_SPECIFICITY:
        return specificity_of(counts);
    case IQA_SCORE_F:
        return f_score_of(counts, reading_.beta);
    case IQA_SCORE_DICE:
        return f_score_of(counts, 1.0);
    default:
        return iou_of(counts);
    }
}

scored score_reader::of_class(int32_t score, size_t index) const
{
    const class_counts &counts = counts_[index];
    const bool unreferenced = is_zero(support_of(counts));
    const bool absent = unreferenced && is_zero(predicted_of(counts));
    if (absent) {
        switch (reading_.empty) {
        case IQA_EMPTY_SKIP:
            return {not_a_number, true};
        case IQA_EMPTY_ZERO:
            return {0.0, false};
        case IQA_EMPTY_ONE:
        case IQA_EMPTY_ONE_ELSE_ZERO:
            return {1.0, false};
        case IQA_EMPTY_NAN:
            return {not_a_number, false};
        case IQA_EMPTY_SKIP_IN_AVERAGES:
            return {of_ratio(score, counts).value, true};
        default:
            break;
        }
    }
    if (unreferenced && reading_.empty == IQA_EMPTY_ONE_ELSE_ZERO)
        return {0.0, false};
    if (unreferenced && reading_.empty == IQA_EMPTY_SKIP_UNREFERENCED)
        return {not_a_number, true};
    return of_ratio(score, counts);
}

scored score_reader::micro(int32_t score) const
{
    class_counts sum{};
    for (size_t k = 0; k < counts_.size(); ++k)
        if (included(k))
            sum = sum_of(sum, counts_[k]);
    return of_ratio(score, sum);
}

scored score_reader::mean(int32_t score, bool by_support) const
{
    ratio sum{};
    for (size_t k = 0; k < counts_.size(); ++k) {
        const double_double weight = by_support ? support_of(counts_[k]) : double_double{1.0, 0.0};
        if (!included(k) || is_zero(weight))
            continue;
        const scored own = of_class(score, k);
        if (own.skipped)
            continue;
        if (std::isnan(own.value))
            return {not_a_number, false};
        sum.numerator = add(sum.numerator, multiply(weight, {own.value, 0.0}));
        sum.denominator = add(sum.denominator, weight);
    }
    return is_zero(sum.denominator) ? average_of_nothing() : or_undefined(sum);
}

scored score_reader::averaged(int32_t score, int32_t average) const
{
    switch (average) {
    case IQA_AVERAGE_MICRO:
        return micro(score);
    case IQA_AVERAGE_MACRO:
        return mean(score, false);
    case IQA_AVERAGE_WEIGHTED:
        return mean(score, true);
    default:
        if (multilabel_ || counts_.size() != 2)
            fail(IQA_ERROR_INVALID_ARGUMENT, "IQA_AVERAGE_BINARY is the score of class 1 of 2, but there are ",
                 counts_.size(), multilabel_ ? " labels" : " classes");
        return score == IQA_SCORE_ACCURACY ? or_undefined(agreement_of(counts_[1])) : of_class(score, 1);
    }
}

scored score_reader::balanced_accuracy() const
{
    ratio sum{};
    for (size_t k = 0; k < counts_.size(); ++k) {
        const ratio recall = recall_of(counts_[k]);
        if (!included(k) || is_zero(recall.denominator))
            continue;
        sum.numerator = add(sum.numerator, divide(recall.numerator, recall.denominator));
        sum.denominator = add(sum.denominator, {1.0, 0.0});
    }
    return is_zero(sum.denominator) ? average_of_nothing() : or_undefined(sum);
}

double score_reader::generalized_weight(double support) const
{
    switch (reading_.generalized_weights) {
    case IQA_WEIGHTS_SQUARE:
        return 1.0 / (support * support);
    case IQA_WEIGHTS_SIMPLE:
        return 1.0 / support;
    default:
        return 1.0;
    }
}

scored score_reader::generalized_dice() const
{
    double largest = 0.0;
    for (size_t k = 0; k < counts_.size(); ++k)
        if (included(k) && !is_zero(support_of(counts_[k])))
            largest = std::max(largest, generalized_weight(support_of(counts_[k]).high));
    ratio sum{};
    bool predicted = false;
    for (size_t k = 0; k < counts_.size(); ++k) {
        if (!included(k))
            continue;
        const double support = support_of(counts_[k]).high;
        const double weight = support != 0.0 ? generalized_weight(support) : largest != 0.0 ? largest : 1.0;
        const ratio dice = f_score_of(counts_[k], 1.0);
        sum.numerator = add(sum.numerator, multiply({weight, 0.0}, dice.numerator));
        sum.denominator = add(sum.denominator, multiply({weight, 0.0}, dice.denominator));
        predicted = predicted || !is_zero(dice.denominator);
    }
    if (predicted)
        return or_undefined(sum);
    switch (reading_.empty) { // nothing on either side
    case IQA_EMPTY_ONE:
    case IQA_EMPTY_ONE_ELSE_ZERO:
        return {1.0, false};
    case IQA_EMPTY_ZERO:
        return {0.0, false};
    case IQA_EMPTY_NAN:
        return {not_a_number, false};
    default:
        return average_of_nothing();
    }
}

scored score_reader::of_all(int32_t score) const
{
    switch (score) {
    case IQA_SCORE_BALANCED_ACCURACY:
        return balanced_accuracy();
    case IQA_SCORE_FREQUENCY_WEIGHTED_IOU:
        return mean(IQA_SCORE_IOU, true);
    default:
        return generalized_dice();
    }
}

scored score_reader::value(int32_t score) const
{
    return has_average(score) ? averaged(score, reading_.average) : of_all(score);
}

scored score_reader::kappa(ratio disagreement) const
{
    if (is_zero(disagreement.denominator))
        return zero_division();
    return {subtract({1.0, 0.0}, divide(disagreement.numerator, disagreement.denominator)).high, false};
}

scored score_reader::correlation(int32_t score, bool others) const
{
    correlation_sums sums{};
    double_double total = total_of(counts_[0]);
    if (multilabel_) { // yes and no, summed over the classes
        class_counts all{};
        for (const class_counts &counts : counts_)
            all = sum_of(all, counts);
        total = total_of(all);
        add_class(sums, all.true_positive, support_of(all), predicted_of(all));
        add_class(sums, all.true_negative, add(all.true_negative, all.false_positive),
                  add(all.true_negative, all.false_negative));
    } else {
        double_double rows = total;
        double_double columns = total;
        for (const class_counts &counts : counts_) {
            add_class(sums, counts.true_positive, support_of(counts), predicted_of(counts));
            rows = subtract(rows, support_of(counts));
            columns = subtract(columns, predicted_of(counts));
        }
        if (others) // labels outside of all classes are one more class, and never right
            add_class(sums, {0.0, 0.0}, rows, columns);
    }
    if (score == IQA_SCORE_KAPPA)
        return kappa(disagreement_of(sums, total));
    const ratio correlation = correlation_of(sums, total);
    if (!(correlation.denominator.high > 0.0))
        return zero_division();
    return {correlation.numerator.high / std::sqrt(correlation.denominator.high), false};
}

} // namespace iqa

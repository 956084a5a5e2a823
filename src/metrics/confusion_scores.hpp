// SPDX-License-Identifier: MIT
// Scores from counts: which classes count, what 0 / 0 is, and how classes become one number. The formulas are in
// arith/confusion.h.
#pragma once

#include <span>

#include "arith/confusion.h"
#include "core/error.hpp"

namespace iqa {

// A score, and whether averages leave it out.
struct scored {
    double value;
    bool skipped;
};

constexpr bool has_average(int32_t score)
{
    return score <= IQA_SCORE_IOU;
}

// Scores that are computed from the counts of single classes, and so also of every sample.
constexpr bool is_of_classes(int32_t score)
{
    return score <= IQA_SCORE_GENERALIZED_DICE;
}

// Throws unless the reading can be applied to the score.
void check_reading(const iqa_confusion_reading &reading, int32_t score, int64_t classes);

// The counts of each class from a state's lanes. `sums` has room for 2 * (C + 1) * cell_lanes numbers.
void read_class_counts(confusion_layout layout, const int64_t *lanes, std::span<class_counts> out, int64_t *sums);

// The value of one cell.
double_double cell_value(confusion_layout layout, const int64_t *lanes, int64_t cell);

// sum w O / sum w E over the C x C matrix, with w the distance from the diagonal or its square. `sums` has room for 2
// C.
ratio weighted_disagreement(confusion_layout layout, const int64_t *lanes, bool squared, double_double *sums);

class score_reader {
public:
    score_reader(std::span<const class_counts> counts, const iqa_confusion_reading &reading, bool multilabel)
        : counts_(counts), reading_(reading), multilabel_(multilabel)
    {
    }

    scored of_class(int32_t score, size_t index) const;
    scored averaged(int32_t score, int32_t average) const; // micro, macro, weighted or binary
    scored of_all(int32_t score) const;                    // the scores without an average
    scored value(int32_t score) const;                     // one number, as the reading says

    // Correlation and unweighted kappa. `others` is true where elements lie outside of all classes.
    scored correlation(int32_t score, bool others) const;
    scored kappa(ratio disagreement) const;

private:
    bool included(size_t index) const { return reading_.excluded == nullptr || reading_.excluded[index] == 0; }
    scored or_undefined(ratio value) const;
    ratio ratio_of(int32_t score, const class_counts &counts) const;
    scored of_ratio(int32_t score, const class_counts &counts) const { return or_undefined(ratio_of(score, counts)); }
    scored zero_division() const;
    scored average_of_nothing() const;
    scored micro(int32_t score) const;
    scored mean(int32_t score, bool by_support) const;
    scored balanced_accuracy() const;
    scored generalized_dice() const;
    double generalized_weight(double support) const;

    std::span<const class_counts> counts_;
    const iqa_confusion_reading &reading_;
    bool multilabel_;
};

} // namespace iqa

// SPDX-License-Identifier: MIT
// Scores of accumulated counts. values/confusion.h has the scores of single classes.
#pragma once

#include <span>

#include "core/error.hpp"
#include "values/confusion.h"

namespace iqa {

// Throws if the reading does not apply to the score.
void check_reading(const iqa_confusion_reading &reading, int32_t score, int64_t classes);

// Throws unless there are two classes.
void check_binary_average(const score_reader &reader);

// The counts of each class from a state's lanes. `sums` has room for 2 * (C + 1) * cell_lanes numbers.
void read_class_counts(confusion_layout layout, const int64_t *lanes, std::span<class_counts> out, int64_t *sums);

// sum w O / sum w E over the C x C matrix, with w the distance from the diagonal or its square. `sums` has room for 2
// C.
ratio weighted_disagreement(confusion_layout layout, const int64_t *lanes, bool squared, double_double *sums);

// Correlation and unweighted kappa. `others`: some elements lie outside all classes.
scored correlation(const score_reader &reader, int32_t score, bool others);
scored kappa(const score_reader &reader, ratio disagreement);

} // namespace iqa

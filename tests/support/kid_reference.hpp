// SPDX-License-Identifier: MIT
// KID and the Inception Score as their definitions say, in long double, by Eigen's products and sums.
#pragma once

#include "support/fid_features.hpp"

namespace test {

// The value, and the largest magnitude of a kernel value, which errors are judged against.
struct kid_expectation {
    long double value;
    long double scale;
};

kid_expectation reference_kid(const feature_set &x, const feature_set &y, const iqa_kid_options &options);

// exp(mean KL(p_i || p)) over those rows of a row-major table of logits that are listed.
long double reference_inception_score(const double *logits, int64_t classes, const std::vector<int64_t> &rows);

} // namespace test

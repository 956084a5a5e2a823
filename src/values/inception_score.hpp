// SPDX-License-Identifier: MIT
// The Inception Score: from the sums over a split's rows to its score. One text for every device.
#pragma once

#include "arith/class_scores.h"

namespace iqa {

// With p the mean of the rows' probabilities p_i, the mean of KL(p_i || p) is the mean of sum p_i log p_i less
// sum p log p: one logarithm for each row and class mean instead of one for each number. `sums`: the sum of the
// probabilities of each class, and last that of the rows' negative entropies.
inline double score_of_split(const int128 *sums, int64_t classes, int64_t rows)
{
    const double_double count = {double(rows), 0.0};
    const auto mean_of = [&](int128 sum) {
        const double_double total = to_double_double(sum);
        return divide({total.high * score_unit, total.low * score_unit}, count);
    };
    double_double divergence = mean_of(sums[classes]);
    for (int64_t i = 0; i < classes; ++i)
        if (sums[i] != 0) {
            const double_double mean = mean_of(sums[i]);
            const double_double term = multiply(mean, log_scaled(mean, 0));
            divergence = add(divergence, {-term.high, -term.low});
        }
    return exponential(divergence.high < 0.0 ? 0.0 : divergence.high);
}

} // namespace iqa

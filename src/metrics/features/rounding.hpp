// SPDX-License-Identifier: MIT
// Bounds on how far rounding to the grid may have moved a result, from the rests of the rounded features.
//
// Without its mean term the Frechet distance of two sets is the square of a distance W. Two sets with the same number
// of rows are no further apart than the root of the variance of their rows' differences (M. Gelbrich, "On a formula for
// the L2 Wasserstein metric between measures on Euclidean and Hilbert spaces", Math. Nachrichten 147, 1990). So with
// rests r of the features x = 2^-p (q + r), by the triangle inequality,
//   |W(q) - W(x)| <= 2^-p (sqrt(tr cov r1) + sqrt(tr cov r2)),
// and the means' difference moves by 2^-p |mean r1 - mean r2|. Constant features have constant rests, which move no
// variance, and features on the grid have none.
#pragma once

#include "metrics/features/distance.hpp"

namespace iqa {

// A result is refused if rounding may have moved it by a larger part of the sum of its terms.
constexpr double largest_rounding = 0x1p-10;

// Bounds for the distance of two sets, for the trace of a set's covariance, and for a set's mean relative to the root
// mean square of its rows.
double rounding_of_distance(const frechet_terms &parts, const moment_lanes (&sets)[2], double step);
double rounding_of_trace(const moment_lanes &set, double trace, double step);
double rounding_of_mean(const moment_lanes &set);

// For a state of a version without rests: assumes that each feature was half a step from the grid.
void assume_rests(const moment_lanes &set);

// Fraction bits that suit the sets, so that their features are some thousand times smaller than the largest possible.
int fitting_fraction_bits(const feature_grid &grid, const moment_lanes (&sets)[2]);

} // namespace iqa

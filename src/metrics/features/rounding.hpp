// SPDX-License-Identifier: MIT
// How far rounding to the grid may have moved a result, from what rounding left of the features.
//
// Without its mean term the Frechet distance of two sets is the square of a distance W, and no set lies further from
// another one with the same number of rows than the root of the variance of their rows' differences (M. Gelbrich, "On a
// formula for the L2 Wasserstein metric between measures on Euclidean and Hilbert spaces", Math. Nachrichten 147,
// 1990). So with rests r of the features x = 2^-p (q + r), by the triangle inequality,
//   |W(q) - W(x)| <= 2^-p (sqrt(tr cov r1) + sqrt(tr cov r2)),
// and the means' difference moves by 2^-p |mean r1 - mean r2|. Constant features have constant rests, which move no
// variance, and features on the grid have none.
#pragma once

#include "metrics/features/distance.hpp"

namespace iqa {

// A result that rounding may have moved by a larger part of what it is made of is refused.
constexpr double largest_rounding = 0x1p-10;

// What may be wrong with the distance of two sets; with the trace of a set's covariance; and with a set's mean, beside
// the root mean square of its rows.
double rounding_of_distance(const frechet_terms &parts, const moment_lanes (&sets)[2], double step);
double rounding_of_trace(const moment_lanes &set, double trace, double step);
double rounding_of_mean(const moment_lanes &set);

// For a state of a version that did not know the rests: as if each feature had been half a step from the grid.
void assume_rests(const moment_lanes &set);

// How many fraction bits would suit the sets: their features are some thousand times smaller than the largest possible.
int fitting_fraction_bits(const feature_grid &grid, const moment_lanes (&sets)[2]);

} // namespace iqa

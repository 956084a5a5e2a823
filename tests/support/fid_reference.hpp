// SPDX-License-Identifier: MIT
// FID in long double, three ways that share no step with the library, by Eigen's decompositions.
#pragma once

#include "support/fid_features.hpp"

namespace test {

// |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2). The trace term is the sum of the singular values of R1 R2^T with
// R^T R = S, which loses nothing where covariances are singular.
long double reference_fid(const feature_set &first, const feature_set &second);

// The same for covariances of full rank: the trace term from the eigenvalues of the symmetric S1^(1/2) S2 S1^(1/2).
long double reference_fid_by_eigenvalues(const feature_set &first, const feature_set &second);

// Likewise, as the formula is written: the trace of the principal square root of S1 S2, which is not symmetric.
long double reference_fid_by_square_root(const feature_set &first, const feature_set &second);

// |m1 - m2|^2 + tr S1 + tr S2: what everything is judged by.
double fid_but_for_trace_term(const feature_set &first, const feature_set &second);

double mean_of(const feature_set &set, int64_t feature);

} // namespace test

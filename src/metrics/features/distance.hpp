// SPDX-License-Identifier: MIT
// The Frechet distance of two normal distributions, given by mean and covariance (D. C. Dowson, B. V. Landau, "The
// Frechet distance between multivariate normal distributions", J. Multivariate Analysis 12, 1982):
//   |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2).
// With S = L L^T the last trace is the sum of the singular values of L1^T L2. No product S1 S2 is formed, so no
// condition number is squared, and a rank below the order needs no special path.
#pragma once

#include "backend/backend.hpp"

namespace iqa {

struct frechet_terms {
    double value;           // never negative
    double raw;             // before a small negative value became 0
    double mean_term;       // |m1 - m2|^2
    double traces[2];       // tr S1, tr S2
    double trace_term;      // tr (S1 S2)^(1/2)
    int64_t ranks[2];       // as in trace_request
    double least_pivots[2]; // likewise
};

// `place` computes the trace term.
frechet_terms frechet_distance(context &where, const device_place &place, double mean_term,
                               const covariance_view (&sets)[2]);

} // namespace iqa

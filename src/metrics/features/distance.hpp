// SPDX-License-Identifier: MIT
// The Frechet distance of two normal distributions, given by mean and covariance (D. C. Dowson, B. V. Landau, "The
// Frechet distance between multivariate normal distributions", J. Multivariate Analysis 12, 1982):
//   |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2).
// With S = L L^T the last trace is the sum of the singular values of L1^T L2. No product S1 S2 is formed, so no
// condition number is squared, and a rank below the order needs no special path.
#pragma once

#include "core/crew.hpp"
#include "cpu/features/kernels.hpp"

namespace iqa {

// The covariance of one side: of n rows of features, or what somebody else made of them.
class covariance_matrix {
public:
    virtual double at(int64_t i, int64_t j) const = 0; // i >= j
    virtual int64_t most_rank() const = 0;             // n - 1, or the order if n is not known

protected:
    ~covariance_matrix() = default;
};

struct frechet_parts {
    double value;           // never negative
    double raw;             // before a tiny negative value became 0
    double mean_term;       // |m1 - m2|^2
    double traces[2];       // tr S1, tr S2
    double trace_term;      // tr (S1 S2)^(1/2)
    int64_t ranks[2];       // numerical ranks of S1 and S2
    double least_pivots[2]; // what their factorisations left over: far below 0 only if they are no covariances
};

// A device that finds the trace term, the ranks and the least pivots, with the same bits. `swapped`: the second
// covariance comes first in the order of the computation; `equal`: nothing but the first is to be factored.
class trace_device {
public:
    virtual void run(bool swapped, bool equal, frechet_parts &parts) const = 0;

protected:
    ~trace_device() = default;
};

frechet_parts frechet_distance(context &where, const fid_kernels &kernels, int64_t order, double mean_term,
                               const covariance_matrix &first, const covariance_matrix &second,
                               const trace_device *device = nullptr);

} // namespace iqa

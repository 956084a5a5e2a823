// SPDX-License-Identifier: MIT
// From a matrix to its singular values: Householder reflectors that make it bidiagonal, and bisection.
#pragma once

#include "arith/portable.h"

namespace iqa {

// I - tau u u^T with u = (1, scale * tail) maps (head, tail) to (beta, 0) (G. H. Golub, C. F. Van Loan, "Matrix
// Computations", 5.1, in LAPACK's scaling).
struct reflector {
    double beta;
    double tau;
    double scale;
};

// `tail_squares` is the sum of the squares of the tail.
IQA_HD reflector make_reflector(double head, double tail_squares)
{
    if (!(tail_squares > 0.0))
        return {head, 0.0, 0.0};
    const double norm = __builtin_sqrt(fused_multiply_add(head, head, tail_squares));
    const double beta = head > 0.0 ? -norm : norm;
    return {beta, (beta - head) / beta, 1.0 / (head - beta)};
}

// Singular values of an upper bidiagonal matrix B by bisection. The qd form of B^T B - m^2 I has as many negative
// pivots as B has singular values below m (K. V. Fernando, B. N. Parlett, "Accurate singular values and differential qd
// algorithms", Numerische Mathematik 67, 1994): with q_k = diagonal_k^2, e_k = off_k^2 (the last one 0),
//   d_k = q_k + s_k,   s_(k+1) = s_k (e_k / d_k) - m^2,   s_0 = -m^2.
// No operation reduces across values, so any number of them may run side by side without a change of bits.

// Values that one kernel call finds: several vectors, to hide the latency of the division.
constexpr int bisection_width = 32;

// The upper bound of all values is below 1 (see square_and_scale), so each is known to 2^-65.
constexpr int bisection_steps = 64;

// A pivot closer to zero is replaced by this one, far below the rounding of any q + s of this scale.
constexpr double smallest_pivot = 1e-290;

// Scales both diagonals by a power of two, which is exact, and squares them in place. An upper bound of the singular
// values is then in [1/2, 1); 2^exponent scales them back. False for a matrix of zeros.
IQA_HD bool square_and_scale(double *diagonal, double *off, int64_t order, int *exponent)
{
    double bound = 0.0;
    for (int64_t k = 0; k < order; ++k) {
        const double row_sum =
            __builtin_fabs(diagonal[k]) + __builtin_fabs(off[k]) + (k > 0 ? __builtin_fabs(off[k - 1]) : 0.0);
        bound = row_sum > bound ? row_sum : bound;
    }
    if (!(bound > 0.0))
        return false;
    *exponent = exponent_of(bound) + 1;
    const double gain = power_of_two(-*exponent);
    for (int64_t k = 0; k < order; ++k) {
        diagonal[k] = (diagonal[k] * gain) * (diagonal[k] * gain);
        off[k] = (off[k] * gain) * (off[k] * gain);
    }
    return true;
}

IQA_HD void sturm_step(double q, double e, double shift, double *state, double *below)
{
    double pivot = q + *state;
    pivot = __builtin_fabs(pivot) < smallest_pivot ? -smallest_pivot : pivot;
    *below += pivot < 0.0 ? 1.0 : 0.0;
    *state = *state * (e / pivot) - shift;
}

} // namespace iqa

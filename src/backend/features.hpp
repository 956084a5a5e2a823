// SPDX-License-Identifier: MIT
// What FID, KID and the Inception Score ask of a device.
#pragma once

#include "arith/polynomial_kernel.h"
#include "arith/second_moment.h"
#include "core/tensor.hpp"

namespace iqa {

// Rows of features for both sets of FID: see arith/feature_grid.h. Either all are added, or none.
struct moment_request {
    table_view sides[2]; // rows may be 0
    double scale;        // 2^p
    bool wide;
};

// tr (S1 S2)^(1/2) of the covariances of two sets, as metrics/fid_distance.hpp defines it.
struct trace_request {
    moment_lanes sets[2]; // in memory of the host
    double unit;          // 2^(-2p)
    bool equal;           // the covariances are equal: only the first is factored

    // Results.
    double norm; // the sum of the singular values of L1^T L2; not of equal covariances
    int64_t ranks[2];
    double least_pivots[2];
};

// Of the rows of a table, as KID looks at them first.
struct row_squares {
    double largest;        // dot product of a row with itself; not finite where a number is not, or where it overflows
    int64_t nonfinite_row; // the first with a number that is not finite; -1: none
};

// KID's sums of kernel values over pairs of rows, for one estimate after another.
struct kernel_sums_request {
    row_set sets[2]; // of each estimate; which rows are `chosen`, draw() says
    int64_t estimates;
    polynomial_kernel kernel;
    void *receiver;
    // Chooses the rows of an estimate, into memory of the host. NULL: all rows are taken.
    void (*draw)(void *receiver, int64_t estimate, keyed_row *const (&rows)[2]);
    void (*done)(void *receiver, int64_t estimate, const pair_sums (&sums)[kinds_of_pairs]);
};

// The Inception Score's sums over the rows of each split, in units of arith/class_scores.h.
struct class_sums_request {
    row_set rows; // in the order in which they are split, `chosen` in memory of the host
    bool logits;
    int64_t splits;
    void *receiver;
    // sums: of the probabilities of each class, and of the rows' negative entropies.
    void (*done)(void *receiver, int64_t split, const int128 *sums);

    // Results. With such rows nothing was done.
    int64_t nonfinite_row; // the first with a number that is not finite; -1: none
    int64_t invalid_row;   // the first whose scores are not what they should be
};

} // namespace iqa

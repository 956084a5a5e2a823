// SPDX-License-Identifier: MIT
// What FID, KID and the Inception Score ask of a device. Tables are in its memory, and what moments are written to; all
// else is in the host's.
#pragma once

#include "arith/polynomial_kernel.h"
#include "arith/second_moment.h"
#include "core/device.hpp"
#include "core/draw_rows.hpp"
#include "core/samples.hpp"

namespace iqa {

// Rows of features for both sets of FID: see arith/feature_grid.h. Either all are added, or none.
struct moment_request {
    table_view sides[2]; // rows may be 0
    feature_grid grid;
    moment_lanes sets[2]; // what is added to
    fault *report;        // the first feature that is not finite or outside the grid, of the first side that has one
};

// A covariance of rows of features, or one that somebody else computed.
struct covariance_view {
    moment_lanes moments; // without lanes: the table's
    double unit;          // 2^(-2p)
    table_view table;     // square; its two triangles are averaged

    bool is_table() const { return moments.lanes == nullptr; }
    int64_t order() const { return is_table() ? table.rows : moments.features; }
    int64_t most_rank() const { return is_table() ? table.rows : moments.rows() - 1; }
    double at(int64_t i, int64_t j) const
    {
        return is_table() ? 0.5 * (number_at(table, i, j) + number_at(table, j, i)) : covariance(moments, i, j, unit);
    }
};

// tr (S1 S2)^(1/2) of two covariances, as metrics/features/distance.hpp defines it. Tables are for the CPU only.
struct trace_request {
    covariance_view sets[2];
    bool equal; // the covariances are equal: only the first is factored

    // Results.
    double norm;            // the sum of the singular values of L1^T L2; not of equal covariances
    int64_t ranks[2];       // numerical ranks of S1 and S2
    double least_pivots[2]; // what their factorisations left over: far below 0 only if they are no covariances
};

// Of the rows of a table, as KID looks at them first.
struct row_squares {
    double largest;        // dot product of a row with itself; not finite where a number is not, or where it overflows
    int64_t nonfinite_row; // the first with a number that is not finite; -1: none
};

// KID's estimates, each from the means of kernel values over pairs of rows.
struct kernel_means_request {
    row_set sets[2]; // of each estimate; `chosen` is up to draw()
    bool draws;      // the rows of each estimate are drawn; else all are taken
    uint64_t seed;
    int64_t estimates;
    polynomial_kernel kernel; // choose_unit() completes it
    bool biased;              // a row makes a pair with itself too

    // Results. Where choose_unit() finds no unit for the squares there are no values.
    row_squares squares[2];
    double *values; // [estimates]

    // Brings the rows of an estimate to the front of all rows of a set.
    void draw(int64_t estimate, int64_t set, keyed_row *rows) const
    {
        draw_rows(seed, uint64_t(2 * estimate + set), sets[set].view.rows, sets[set].count, rows);
    }
};

// The Inception Score of each split.
struct split_scores_request {
    row_set rows; // in the order in which they are split, `chosen` in memory of the host
    bool logits;
    int64_t splits;

    // Results. With rows at fault the scores mean nothing.
    double *scores;        // [splits]
    int64_t nonfinite_row; // the first with a number that is not finite; -1: none
    int64_t invalid_row;   // the first whose scores are not what they should be; likewise
};

} // namespace iqa

// SPDX-License-Identifier: MIT
// The requests of FID, KID, PRDC and the Inception Score to a device. Tables and the lanes of moments are in its
// memory, all else in host memory.
#pragma once

#include "arith/neighbours.h"
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
    moment_lanes sets[2]; // receive the sums
    fault *report;        // the first feature, non-finite or outside the grid, of the first side that has one
};

// The covariance of rows of features, or a covariance that the caller computed.
struct covariance_view {
    moment_lanes moments; // without lanes: `table` is used
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

// tr (S1 S2)^(1/2) of two covariances, as metrics/features/distance.hpp defines it. Only the CPU takes tables.
struct trace_request {
    covariance_view sets[2];
    bool equal; // the covariances are equal: only the first is factored

    // Results.
    double norm;            // the sum of the singular values of L1^T L2; unset for equal covariances
    int64_t ranks[2];       // numerical ranks of S1 and S2
    double least_pivots[2]; // after each factorisation: far below 0 only if the matrix is not a covariance
};

// The numbers of the contents of rows: see arith/random_order.h.
struct row_numbers_request {
    table_view table;
    uint64_t *numbers; // [rows]
};

// The first look at the rows of a table.
struct row_squares {
    double largest;        // dot product of a row with itself; non-finite if a number is, or if it overflows
    int64_t nonfinite_row; // the first with a non-finite number, or -1
};

// KID's estimates, each from the means of kernel values over pairs of rows.
struct kernel_means_request {
    row_set sets[2]; // of each estimate; `chosen` is up to draw()
    bool draws;      // the rows of each estimate are drawn; else all rows are taken
    uint64_t seed;
    const uint64_t *numbers[2]; // of the rows' contents, or NULL: see draw_rows()
    int64_t estimates;
    polynomial_kernel kernel; // choose_unit() completes it
    bool biased;              // pairs of a row with itself count too

    // Results. If choose_unit() finds no unit for the squares, `values` is unset.
    row_squares squares[2];
    double *values; // [estimates]

    // Brings the rows of an estimate to the front of all rows of a set.
    void draw(int64_t estimate, int64_t set, keyed_row *rows) const
    {
        draw_rows(seed, uint64_t(2 * estimate + set), numbers[set], sets[set].view.rows, sets[set].count, rows);
    }
};

// The neighbours of rows within their set, and which rows lie in whose ball: the ball of a row reaches to its k-th
// nearest neighbour. Distances are integers: see arith/neighbours.h.
struct neighbours_request {
    row_set sets[2]; // all rows
    int64_t k;       // below both numbers of rows
    bool closed;     // a ball has its surface

    // Results. If the square of a row is not finite, only `squares` is set.
    row_squares squares[2];
    row_measures *measures[2]; // [rows] of each set
    double *radii[2];          // [rows]: squares of the distances to the k-th nearest neighbour
    ball_counts counts;

    bool has_finite_squares() const { return is_finite(squares[0].largest) && is_finite(squares[1].largest); }
    int fraction_bits() const
    {
        return neighbour_fraction_bits(squares[0].largest > squares[1].largest ? squares[0].largest
                                                                               : squares[1].largest);
    }
    // What squares of distances have to stay below those of radii: they are integers.
    double surface() const { return closed ? 0.0 : 1.0; }
    // Distances that are kept for the rows of one set.
    size_t most_neighbours() const
    {
        const auto rows = size_t(sets[0].count > sets[1].count ? sets[0].count : sets[1].count);
        if (size_t(k) > (size_t(-1) >> 4) / rows)
            fail(IQA_ERROR_OUT_OF_MEMORY, "out of memory: the ", k, " nearest neighbours of ", rows, " rows");
        return rows * size_t(k);
    }
};

// The Inception Score of each split.
struct split_scores_request {
    row_set rows; // in the order in which they are split, `chosen` in memory of the host
    bool logits;
    int64_t splits;

    // Results. With a row at fault the scores are unspecified.
    double *scores;        // [splits]
    int64_t nonfinite_row; // the first with a non-finite number, or -1
    int64_t invalid_row;   // the first whose scores are not probabilities or finite logits, or -1
};

} // namespace iqa

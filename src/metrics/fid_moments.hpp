// SPDX-License-Identifier: MIT
// Exact moments of one set of features: how many rows, their sums, and their sums of products, as int64 lanes.
#pragma once

#include "core/crew.hpp"
#include "core/fid_kernels.hpp"
#include "core/tensor.hpp"

namespace iqa {

// The grid that features are rounded to: see arith/feature_grid.h.
struct feature_grid {
    int fraction_bits; // p
    bool wide;
};

// Where the moments of one set lie among the lanes of a state: rows, sums[D], then (low, high) of sum q_i q_j for
// i = 0 ... D - 1, j = 0 ... i.
struct moment_lanes {
    int64_t *lanes;
    int64_t features;

    static constexpr int64_t count(int64_t features) { return 1 + features + features * (features + 1); }
    static constexpr int64_t pair_index(int64_t i, int64_t j) { return i * (i + 1) / 2 + j; }

    int64_t &rows() const { return lanes[0]; }
    int64_t *sums() const { return lanes + 1; }
    int64_t *words(int64_t i, int64_t j) const { return lanes + 1 + features + 2 * pair_index(i, j); }
};

// Ends the call for a feature that is not finite or outside the grid.
[[noreturn]] void fail_for_feature(const feature_grid &grid, const char *name, int64_t row, int64_t column,
                                   double value);

// Adds rows of features, all or none: throws IQA_ERROR_NUMERIC for a feature that is not finite or outside the grid,
// IQA_ERROR_CANCELLED. `name` is what error texts call the tensor.
void add_rows(context &where, scratch &memory, const fid_kernels &kernels, const feature_grid &grid,
              const table_view &view, const char *name, const moment_lanes &state);

// Takes back rows that were added, which leaves no trace. Does not fail and cannot be cancelled.
void take_back_rows(context &where, scratch &memory, const fid_kernels &kernels, const feature_grid &grid,
                    const table_view &view, const moment_lanes &state);

} // namespace iqa

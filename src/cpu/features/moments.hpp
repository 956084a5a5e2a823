// SPDX-License-Identifier: MIT
// Exact moments of one set of features: how many rows, their sums, and their sums of products, as int64 lanes.
#pragma once

#include "arith/second_moment.h"
#include "core/crew.hpp"
#include "core/tensor.hpp"
#include "cpu/features/kernels.hpp"

namespace iqa {

// The grid that features are rounded to: see arith/feature_grid.h.
struct feature_grid {
    int fraction_bits; // p
    bool wide;

    int64_t limit() const { return wide ? wide_limit : narrow_limit; } // of a feature's integer, either way
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

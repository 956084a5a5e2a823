// SPDX-License-Identifier: MIT
// KID wherever its sums over pairs of rows are made: which rows they are of, and what follows from them.
#pragma once

#include "arith/polynomial_kernel.h"
#include "backend/backend.hpp"
#include "core/crew.hpp"
#include "metrics/features/mean_and_deviation.hpp"
#include "metrics/features/table_rows.hpp"

namespace iqa {

constexpr const char *kid_set_names[2] = {"reference", "candidate"};

class kid_estimate {
public:
    kid_estimate(context &where, const iqa_kid_options &options, const table_view (&tables)[2]);

    const row_set &set(int index) const { return sets_[index]; }
    const polynomial_kernel &kernel() const { return kernel_; }
    int64_t count() const { return int64_t(values_.size()); } // of estimates
    bool has_subsets() const { return options_.subsets > 0; }

    // Takes the largest dot product of a row with itself, of each set. False: they are too large, or not finite.
    bool choose_unit(const double (&largest)[2]);

    // Chooses the rows of a subset.
    void draw(crew &team, int64_t subset);

    void take(int64_t estimate, const pair_sums (&sums)[kinds_of_pairs]);

    // Ends the call where choose_unit() said no though all numbers of that set are finite.
    void check_bound(int index) const;
    mean_and_deviation result() const { return mean_and_deviation_of(values_); }

private:
    double_double mean_within(int64_t count, const pair_sums &sums) const;

    const iqa_kid_options options_;
    polynomial_kernel kernel_;
    row_set sets_[2];
    scratch keys_memory_;
    scratch values_memory_;
    keyed_row *keys_[2] = {};
    std::span<double> values_;
    double bounds_[2] = {}; // of kernel values
};

mean_and_deviation kid_on_cpu(context &where, kid_estimate &estimate);
mean_and_deviation kid_on_device(context &where, const backend &device, const iqa_tensor (&tensors)[2],
                                 kid_estimate &estimate);

} // namespace iqa

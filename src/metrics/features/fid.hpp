// SPDX-License-Identifier: MIT
// The Frechet distance of two sets of features (FID).
#pragma once

#include <array>
#include <optional>

#include "arith/second_moment.h"
#include "metrics/features/distance.hpp"
#include "metrics/metric.hpp"

namespace iqa {

class fid_metric final : public iqa_metric {
public:
    fid_metric(context &owner, const iqa_fid_options &options);

    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) override;
    size_t read(int32_t field, std::span<double> out) const override;
    void load_lanes(byte_reader bytes) override; // also from old states, which have no rests

    void reset_side(int32_t side) noexcept;

    // Adds one set of a metric with the same options to this one's; `negative` takes it away again.
    void add_side(const fid_metric &from, int index, bool negative);

    const iqa_fid_options &options() const noexcept { return options_; }
    moment_lanes side(int index) const { return set_of(lanes_, index); }

protected:
    void lanes_changed() const noexcept override
    {
        computed_ = false;
        enqueued_rows_ = {};
    }
    void leave_device() noexcept override
    {
        device_memory_.reset();
        place_ = place_on_cpu(owner());
    }
    void check_together(std::span<const int64_t> lanes, iqa_status otherwise) const override;
    [[noreturn]] void refuse_options(const iqa_metric &from) const override;
    [[noreturn]] void raise(const fault &found) const override;

private:
    feature_grid grid() const { return {options_.fraction_bits, options_.word_bits == IQA_FID_WORD_32}; }
    moment_lanes set_of(int64_t *lanes, int index) const
    {
        return {lanes + index * moment_lanes::count(options_.features), options_.features};
    }
    void add(const update_target &target, int32_t device_id, const table_view (&views)[2]);
    covariance_view covariance_of(int index) const;
    double mean_unit() const { return power_of_two(-options_.fraction_bits); }
    double mean_term() const;
    void require_rows(int index, int64_t rows) const;
    void check_room(int index, int64_t rows) const;
    void compute() const;
    const frechet_terms &parts() const; // throws if rounding to the grid may have changed them too much
    [[noreturn]] void fail_for_rounding(std::span<const int> sides, const char *effect) const;
    double flags() const;
    size_t read_mean(int index, std::span<double> out) const;
    size_t read_covariance(int index, std::span<double> out) const;

    iqa_fid_options options_;
    std::array<std::byte, sizeof(iqa_fid_options)> option_bytes_{}; // state bytes are no more
    std::array<exact_field, 4> fields_{};
    scratch lanes_memory_;
    workspace memory_;
    std::optional<workspace> device_memory_;
    device_place place_; // of the last update; at first the CPU
    int64_t *lanes_;
    mutable std::array<int64_t, 2> enqueued_rows_{}; // on a device, not in the lanes yet
    mutable frechet_terms parts_{};
    mutable double rounding_ = 0.0; // of the distance
    mutable bool computed_ = false; // parts_ and rounding_ belong to the present lanes
};

} // namespace iqa

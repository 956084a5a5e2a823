// SPDX-License-Identifier: MIT
// Metrics of sums over pairs of samples, like PSNR: how an update is checked, runs and fails. The derived metric
// chooses the sums and their meaning.
#pragma once

#include <optional>

#include "backend/backend.hpp"
#include "metrics/metric.hpp"

namespace iqa {

// Options that such metrics share.
struct pair_options {
    int32_t layout;
    double data_low, data_high;
    int32_t nonfinite, luma, luma_rounded, shave;
    bool needs_range; // also for floating-point images without luma
};

template <class Options>
pair_options pair_options_of(const Options &from, bool needs_range)
{
    return {from.layout, from.data_low,     from.data_high, from.nonfinite,
            from.luma,   from.luma_rounded, from.shave,     needs_range};
}

// Memory of a batch on one device.
struct pair_memory {
    pair_memory(memory_source &device, memory_source &host) noexcept
        : sums(device),
          weights(device),
          extremes(device),
          counts(device),
          flags(device),
          slopes(device),
          work(device, host)
    {
    }

    scratch sums, weights, extremes, counts, flags, slopes;
    workspace work;
};

// The checked tensors of one update.
struct pair_update {
    weighted_images source; // shaved
    luma_rule luma;
    data_range range;
    bool has_stated_range; // else it is the span of the type, or open
    output_view per_image, per_channel, reference_gradient, candidate_gradient;

    bool wants_gradient() const { return candidate_gradient.data != nullptr || reference_gradient.data != nullptr; }
    int64_t images() const { return source.images.reference.images; }
    // The planes of an image: its channels if they are wanted apart, else 1.
    int64_t planes() const { return per_channel.data != nullptr ? source.channels() : 1; }
};

class pair_metric : public iqa_metric {
public:
    void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) final;

protected:
    // `name` is for texts: "PSNR".
    pair_metric(context &owner, metric_kind kind, const char *name, const pair_options &options,
                std::span<int64_t> lanes, std::span<const exact_field> fields) noexcept;

    // Enqueues the sums of an update and their values, and stores `slopes` for a gradient. If `ends` is not NULL, also
    // commits that ledger's update.
    virtual void measure(const backend &device, pair_memory &memory, const pair_update &update, int64_t *addend,
                         fault *report, error_slope *slopes, device_ledger *ends) = 0;
    // Throws for an update that this metric does not support.
    virtual void check_update(const pair_update &) const {}

    // A request with its results, those of `terms` too, in `memory`.
    pair_sums_request request_sums(pair_memory &memory, const pair_update &update, fault *report,
                                   std::span<term_sums> terms) const;
    bool refuses_nonfinite() const { return options_.nonfinite == IQA_NONFINITE_ERROR; }

private:
    bool measures_luma(const image_view &shape) const;
    [[gnu::noinline]] pair_update check(const backend &device, const iqa_tensor *reference, const iqa_tensor *candidate,
                                        const iqa_update_extras &extras) const;
    void run(const update_target &target, const pair_update &update, int64_t *addend, fault *report);
    [[noreturn]] void fail_for(const fault &found, const pair_update &update) const;
    void raise(const fault &found) const final;
    void leave_device() noexcept final { cuda_memory_.reset(); }

    const char *name_;
    pair_options options_;
    scratch addend_;
    pair_memory memory_;
    std::optional<pair_memory> cuda_memory_;
};

} // namespace iqa

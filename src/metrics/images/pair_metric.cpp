// SPDX-License-Identifier: MIT
#include "metrics/images/pair_metric.hpp"

#include <algorithm>
#include <limits>

#include "core/options.hpp"
#include "core/samples.hpp"

namespace iqa {

namespace {

// All finite numbers.
constexpr data_range whole_range = {std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max()};

constexpr const char overflow_text[] = "two samples differ by more than a double can hold";

} // namespace

pair_metric::pair_metric(context &owner, metric_kind kind, const char *name, const pair_options &options,
                         std::span<int64_t> lanes, std::span<const exact_field> fields) noexcept
    : iqa_metric(owner, kind, {}, lanes, fields), name_(name), options_(options), addend_(owner), memory_(owner, owner)
{
}

bool pair_metric::measures_luma(const image_view &shape) const
{
    if (options_.luma == IQA_LUMA_NONE || shape.channels == 1)
        return false;
    if (shape.channels != 3)
        fail(IQA_ERROR_SHAPE, "the images have ", shape.channels,
             " channels; luma needs the three of R, G, B, or one that is luma already");
    return true;
}

pair_update pair_metric::check(const backend &device, const iqa_tensor *reference, const iqa_tensor *candidate,
                               const iqa_update_extras &extras) const
{
    pair_update update{};
    const image_pair whole = view_images(reference, candidate, options_.layout);
    const image_view &shape = whole.reference;
    const bool of_luma = measures_luma(shape);
    const data_range stated = range_of_update({options_.data_low, options_.data_high}, extras);
    update.has_stated_range = is_stated(stated);
    const bool is_open = !update.has_stated_range && !is_integer(shape.type) && !of_luma && !options_.needs_range;
    update.range = is_open ? whole_range : resolve_range(stated, shape.type);
    if (of_luma)
        update.luma = luma_for(static_cast<luma_kind>(options_.luma), options_.luma_rounded != 0,
                               update.range.high - update.range.low);
    const weight_view weights = view_weights(extras.weights, shape, options_.layout, of_luma);
    update.source.images = shave_edges(whole, options_.layout, options_.shave);
    update.source.weights = shave_edges(weights, options_.layout, options_.shave);
    update.source.mask_nonfinite = options_.nonfinite == IQA_NONFINITE_MASK;
    update.source.luma = of_luma ? &update.luma : nullptr;
    image_view measured = update.source.images.reference;
    measured.channels = update.source.channels();
    update.per_image = view_per_image(extras.per_image, measured);
    update.per_channel = view_per_channel(extras.per_channel, measured);
    refuse_extra(extras.map, "map", name_);
    refuse_extra(extras.counts, "counts", name_);
    const auto view_gradient = [&](const iqa_tensor *tensor, const char *name) {
        return clear_edges(
            device, owner(),
            view_pixels(tensor, name, shape, options_.layout, shape.channels, shape.depth, shape.height, shape.width),
            shape, options_.layout, options_.shave);
    };
    update.candidate_gradient = view_gradient(extras.candidate_gradient, "candidate_gradient");
    update.reference_gradient = view_gradient(extras.reference_gradient, "reference_gradient");
    check_update(update);
    return update;
}

void pair_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    update_target target(*this, reference, candidate, extras);
    pair_update update = check(target.device, reference, candidate, extras);
    if (update.source.luma != nullptr)
        update.source.luma = &update.luma; // the pointer of a copy
    if (target.ledger != nullptr) {
        run(target, update, target.ledger->addend(), target.ledger->report());
    } else {
        const std::span<int64_t> addend(addend_.take<int64_t>(lanes().size(), "the lanes of a batch"), lanes().size());
        std::fill(addend.begin(), addend.end(), 0);
        fault found{};
        run(target, update, addend.data(), &found);
        check_room(addend, IQA_ERROR_NUMERIC);
        commit(addend);
    }
    target.finish();
}

void pair_metric::run(const update_target &target, const pair_update &update, int64_t *addend, fault *report)
{
    if (target.ledger != nullptr && !cuda_memory_)
        cuda_memory_.emplace(*target.ledger, owner());
    pair_memory &memory = target.ledger != nullptr ? *cuda_memory_ : memory_;
    error_slope *slopes = update.wants_gradient()
                              ? memory.slopes.take<error_slope>(size_t(update.images()), "the slopes of a batch")
                              : nullptr;
    measure(target.device, memory, update, addend, report, slopes, slopes != nullptr ? nullptr : target.ledger);
    if (target.ledger == nullptr && report->kind != fault_kind::none)
        fail_for(*report, update);
    if (slopes == nullptr)
        return;
    target.device.error_gradient(owner(), memory.work,
                                 {.source = update.source,
                                  .slopes = slopes,
                                  .reference = update.reference_gradient,
                                  .candidate = update.candidate_gradient});
    if (target.ledger != nullptr)
        target.ledger->commit(); // last, since it must not happen if a step fails
}

pair_sums_request pair_metric::request_sums(pair_memory &memory, const pair_update &update, fault *report,
                                            std::span<term_sums> terms) const
{
    const size_t images = size_t(update.images());
    const size_t count = images * size_t(update.planes());
    pair_sum *sums = memory.sums.take<pair_sum>(count * terms.size(), "the sums of a batch");
    for (term_sums &each : terms) {
        each.sums = sums;
        sums += count;
        if (each.term == error_term::reference)
            each.extremes = memory.extremes.take<sample_extremes>(count, "the extremes of a batch");
    }
    return {
        .terms = terms,
        .source = update.source,
        .range = update.range,
        .by_channel = update.planes() != 1,
        .report = report,
        .weights = memory.weights.take<int128>(count, "the weights of a batch"),
        .counts = memory.counts.take<sample_counts>(images, "the counts of a batch"),
        .overflow = memory.flags.take<bool>(images, "the flags of a batch"),
    };
}

// Throws for an update on the CPU, which still has the samples.
void pair_metric::fail_for(const fault &found, const pair_update &update) const
{
    const weighted_images &source = update.source;
    switch (found.kind) {
    case fault_kind::weights: {
        image_view measured = source.images.reference;
        measured.channels = source.channels();
        fail_for_weights(source.weights, measured, options_.layout, options_.shave);
    }
    case fault_kind::nonfinite:
        fail_for_nonfinite(source.images, source.weights, options_.layout, options_.shave, found.count);
    case fault_kind::overflow:
        fail(IQA_ERROR_NUMERIC, overflow_text);
    default:
        fail(IQA_ERROR_NUMERIC, "every sample of image ", found.image, " is masked: there is nothing to measure");
    }
}

void pair_metric::raise(const fault &found) const
{
    text prefix;
    prefix << "update " << found.update << " on the CUDA device: ";
    switch (found.kind) {
    case fault_kind::weights:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "weights has values that are not from 0 to 1");
    case fault_kind::nonfinite:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "the images have ", found.count,
             " non-finite samples, the first in image ", found.image,
             "; set nonfinite to IQA_NONFINITE_PROPAGATE to let them through, or to IQA_NONFINITE_MASK to leave them "
             "out");
    case fault_kind::overflow:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "image ", found.image, ": ", overflow_text);
    default:
        fail(IQA_ERROR_NUMERIC, prefix.view(), "every sample of image ", found.image,
             " is masked: there is nothing to measure");
    }
}

} // namespace iqa

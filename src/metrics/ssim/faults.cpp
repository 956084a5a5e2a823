// SPDX-License-Identifier: MIT
// Error texts for the images of an update.
#include "core/samples.hpp"
#include "metrics/ssim/metric.hpp"

namespace iqa {

// On the CPU, which still has the images.
void ssim_metric::fail_for(const fault &found, const ssim_update &update, image_group group) const
{
    if (found.kind == fault_kind::nonfinite) {
        int64_t total = 0;
        for (int64_t i = group.first; i < group.first + group.count; ++i)
            total += update.counts[i].nonfinite;
        fail_for_nonfinite(update.images, update.weights, options_.layout, options_.shave, total);
    }
    fail_for_image(found, "");
}

// After an update on a device.
void ssim_metric::raise(const fault &found) const
{
    text prefix;
    prefix << "update " << found.update << " on the CUDA device: ";
    fail_for_image(found, prefix.view());
}

void ssim_metric::fail_for_image(const fault &found, std::string_view prefix) const
{
    text at_level;
    if (options_.scales > 1)
        at_level << " at scale " << found.level + 1 << " of " << options_.scales;
    text range; // unless it was the update's own
    if (is_stated(range_of_options()))
        range << " " << options_.data_low << " ... " << options_.data_high;
    switch (found.kind) {
    case fault_kind::nonfinite:
        fail(IQA_ERROR_NUMERIC, prefix, "image ", found.image, " has ", found.count,
             " non-finite samples; set nonfinite to IQA_NONFINITE_PROPAGATE to let them through, or to "
             "IQA_NONFINITE_MASK to leave them out");
    case fault_kind::overflow:
        fail(IQA_ERROR_NUMERIC, prefix, "samples of image ", found.image, " lie so far outside the data range",
             range.view(), " that their squares overflow; correct the range");
    case fault_kind::weights:
        fail(IQA_ERROR_NUMERIC, prefix, "weights has values that are not from 0 to 1");
    case fault_kind::negative_power:
        fail(IQA_ERROR_NUMERIC, prefix, "image ", found.image, " has a mean of ", found.value, at_level.view(),
             ", which has no power ", options_.scale_weights[found.level],
             "; set negative to IQA_NEGATIVE_RELU or IQA_NEGATIVE_SIMPLE");
    default: {
        text channel;
        if (found.channel >= 0)
            channel << ", channel " << found.channel;
        fail(IQA_ERROR_NUMERIC, prefix, "image ", found.image, channel.view(), at_level.view().empty() ? "" : ",",
             at_level.view(),
             " has no pixel that counts: weights (or non-finite samples) mask it altogether, or no window is covered "
             "by ",
             options_.coverage);
    }
    }
}

} // namespace iqa

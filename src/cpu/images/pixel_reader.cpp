// SPDX-License-Identifier: MIT
#include "cpu/images/pixel_reader.hpp"

#include <algorithm>

namespace iqa {

namespace {

// Fetches what follows a short run in memory. Of long ones the processor foresees more by itself.
void prefetch_behind(const void *run, int64_t bytes)
{
    constexpr int64_t line = 64;
    constexpr int64_t longest = 1024;
    for (int64_t at = bytes; bytes <= longest && at < 2 * bytes; at += line)
        __builtin_prefetch(reinterpret_cast<const void *>(uintptr_t(run) + uintptr_t(at)));
}

} // namespace

bool interleaves(const weighted_images &source)
{
    const int64_t channels = source.channels();
    return source.luma == nullptr && interleaves(source.images.reference, channels) &&
           interleaves(source.images.candidate, channels) &&
           (source.weights.data == nullptr || interleaves(source.weights, channels));
}

weighted_images as_one_channel(weighted_images source)
{
    for (image_view *const view : {&source.images.reference, &source.images.candidate}) {
        view->width *= view->channels;
        view->channels = 1;
        view->column_stride = 1;
    }
    source.weights.column_stride = 1;
    return source;
}

pixel_reader::pixel_reader(const cpu_kernels &kernels, const weighted_images &source)
    : kernels_(kernels), source_(source), masks_nonfinite_(source.masks())
{
}

void pixel_reader::read_weights(const row_part &part, float *weights) const
{
    const weight_view &view = source_.weights;
    if (view.data == nullptr) {
        std::fill_n(weights, part.count, 1.0f);
        return;
    }
    const int64_t index = part.image * view.image_stride + part.channel * view.channel_stride +
                          part.slice * view.slice_stride + part.row * view.row_stride +
                          part.column * view.column_stride;
    const int64_t size = (view.dtype & 0xff) / 8;
    kernels_.gather_weights(static_cast<weight_type>(view.dtype), view.data + index * size, view.column_stride,
                            part.count, weights);
}

pixel_run pixel_reader::read(const row_part &part, pixel_memory &memory) const
{
    const element_type type = source_.images.reference.type;
    const bool widened = type == element_type::float16 || type == element_type::bfloat16;
    pixel_run run = {.type = widened ? element_type::float32 : type,
                     .channels = source_.luma != nullptr ? 3 : 1,
                     .reference = {},
                     .candidate = {},
                     .weights = nullptr,
                     .count = part.count};
    if (source_.weights.data != nullptr || masks_nonfinite_) {
        run.weights = memory.weights;
        read_weights(part, run.weights);
    }
    const auto read = [&](const image_view &view, int channel, void *samples) -> const void * {
        const void *from = view.at(part.image, part.channel + channel, part.slice, part.row, part.column);
        if (view.column_stride != 1 || widened) {
            kernels_.gather(type, from, view.column_stride, part.count, samples);
            from = samples;
        } else {
            prefetch_behind(from, part.count * element_size(type));
        }
        if (masks_nonfinite_)
            kernels_.mask_nonfinite(run.type, from, part.count, run.weights);
        return from;
    };
    for (int channel = 0; channel < run.channels; ++channel) {
        run.reference[channel] = read(source_.images.reference, channel, memory.reference[channel]);
        run.candidate[channel] = read(source_.images.candidate, channel, memory.candidate[channel]);
    }
    return run;
}

weight_survey pixel_reader::survey_weights(const pixel_run &run) const
{
    if (run.weights == nullptr)
        return {.units = run.count << pixel_weight_bits, .zeros = 0, .any_fractional = false, .any_invalid = false};
    return kernels_.survey_weights(run.weights, run.count);
}

int64_t pixel_reader::replace_masked(pixel_run &run, const weight_survey &survey, pixel_memory &memory) const
{
    if (survey.zeros == 0 || survey.zeros == run.count)
        return survey.zeros;
    const int64_t first =
        std::find_if(run.weights, run.weights + run.count, [](float w) { return w != 0.0f; }) - run.weights;
    for (int channel = 0; channel < run.channels; ++channel) {
        const void *const by = static_cast<const std::byte *>(run.reference[channel]) + first * element_size(run.type);
        kernels_.replace_masked(run.type, run.candidate[channel], run.weights, run.count, by,
                                memory.candidate[channel]);
        kernels_.replace_masked(run.type, run.reference[channel], run.weights, run.count, by,
                                memory.reference[channel]);
        run.candidate[channel] = memory.candidate[channel];
        run.reference[channel] = memory.reference[channel];
    }
    return first;
}

void pixel_reader::to_double(const pixel_run &run, pixel_memory &memory) const
{
    kernels_.to_double(run.type, run.reference, source_.luma, run.count, memory.reference_double);
    kernels_.to_double(run.type, run.candidate, source_.luma, run.count, memory.candidate_double);
}

} // namespace iqa

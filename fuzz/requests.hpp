// SPDX-License-Identifier: MIT
// Makes options, tensors and updates from the bytes of a fuzzer's input. Past 400 lines: the requests of all families
// are drawn from one program, by the same helpers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

#include "iqa_c.h"

namespace fuzz {

class program {
public:
    program(const uint8_t *data, size_t size) : next_(data), end_(data + size) {}

    bool ended() const { return next_ == end_; }
    uint8_t byte() { return ended() ? uint8_t(0) : *next_++; }
    template <class Number>
    Number number()
    {
        uint8_t bytes[sizeof(Number)];
        for (uint8_t &part : bytes)
            part = byte();
        Number value;
        std::memcpy(&value, bytes, sizeof value);
        return value;
    }

    // Mostly small numbers, sometimes any.
    int64_t extent()
    {
        const uint8_t kind = byte();
        return kind == 255 ? number<int64_t>() : kind % 40;
    }

private:
    const uint8_t *next_;
    const uint8_t *end_;
};

// Overwrites any 32-bit fields of an options struct.
template <class Options>
void spoil(program &code, Options &options)
{
    for (int changes = code.byte() % 4; changes > 0; --changes) {
        const size_t offset = 4 + code.byte() % (sizeof options - 4) / 4 * 4;
        const int32_t value = code.byte() % 2 == 0 ? int32_t(code.byte() % 16) - 1 : code.number<int32_t>();
        std::memcpy(reinterpret_cast<char *>(&options) + offset, &value, sizeof value);
    }
}

inline void beyond_plain_images(program &code, iqa_ssim_options &options)
{
    const uint8_t flags = code.byte();
    if (flags & 1) {
        options.scales = 2;
        options.scale_weights[0] = options.scale_weights[1] = 0.5;
        options.shrink = code.byte() % 4;
        options.negative = code.byte() % 4;
        options.product = code.byte() % 2;
    }
    options.contrast_border = options.border;
    options.parts = flags >> 1 & 1;
    options.shave = flags & 4 ? code.byte() % 3 : 0;
    options.downsample = flags & 8 ? 1 + code.byte() % 3 : 1;
    options.luma = flags & 16 ? code.byte() % 5 : 0;
    options.nonfinite = flags & 32 ? code.byte() % 3 : 0;
    options.mask = flags >> 6 & 1;
    options.window = flags & 128 ? code.byte() % 3 : 0;
}

// Options for a metric of images.
struct image_options {
    int32_t axes; // of images in the layout
    bool of_ssim;
    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;

    explicit image_options(program &code)
    {
        const int32_t layout = code.byte() % 12;
        constexpr int32_t axes_of_layout[] = {2, 3, 3, 3, 4, 4, 3, 4, 4, 4, 5, 5};
        axes = axes_of_layout[layout];
        const double high = code.byte() % 2 ? 1.0 : -1.0;
        of_ssim = code.byte() % 2 == 0;
        if (of_ssim) {
            ssim.layout = layout;
            ssim.data_high = high;
            ssim.border = code.byte() % 5;
            ssim.size_y = 1 + 2 * (code.byte() % 8);
            ssim.size_x = 1 + 2 * (code.byte() % 8);
            ssim.size_z = 1 + 2 * (code.byte() % 3);
            beyond_plain_images(code, ssim);
            spoil(code, ssim);
        } else {
            psnr.layout = layout;
            psnr.data_high = high;
            psnr.aggregate = code.byte() % 2;
            psnr.luma = code.byte() % 8 == 0 ? 1 : 0;
            psnr.shave = code.byte() % 8 == 0 ? 1 : 0;
            psnr.gradient = code.byte() % 2;
            psnr.nonfinite = code.byte() % 3;
            spoil(code, psnr);
        }
    }

    iqa_status create(iqa_context *context, iqa_metric **metric) const
    {
        return of_ssim ? iqa_ssim_create(context, &ssim, metric) : iqa_psnr_create(context, &psnr, metric);
    }
};

// Memory for tensors, with plausible content of images.
inline std::vector<uint8_t> make_bytes(size_t factor)
{
    std::vector<uint8_t> bytes(1 << 16);
    for (size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = uint8_t(i * factor + i / 251);
    return bytes;
}

struct update_memory {
    std::vector<uint8_t> reference = make_bytes(7), candidate = make_bytes(5), weights = make_bytes(3);
    std::vector<uint8_t> per_image = make_bytes(0), per_channel = make_bytes(0), map = make_bytes(0),
                         gradient = make_bytes(0);
};

// The tensors of an update. Not movable: they point to its members.
struct update_request {
    int64_t extents[5] = {1, 1, 1, 1, 1};
    int64_t map_extents[5];
    int64_t strides[5][5];
    iqa_tensor reference, candidate, per_image, per_channel, map, weights, gradient;
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;

    update_request(const update_request &) = delete;
    update_request &operator=(const update_request &) = delete;

    update_request(program &code, update_memory &memory, int32_t usual_axes) : code_(code)
    {
        constexpr int32_t types[] = {IQA_UINT8,   IQA_UINT16,  IQA_INT16, IQA_FLOAT16, IQA_BFLOAT16,
                                     IQA_FLOAT32, IQA_FLOAT64, IQA_INT32, IQA_BOOL,    0x0501};
        const uint8_t choice = code.byte();
        const int32_t axes = choice < 16 ? choice % 6 : usual_axes;
        for (int64_t &extent : extents)
            extent = code.extent();
        const int32_t type = types[code.byte() % std::size(types)];
        const uint8_t flags = code.byte();
        reference = tensor(memory.reference, type, axes, extents, strides[0], flags & 1);
        candidate = tensor(memory.candidate, type, axes, extents, strides[1], flags & 2);
        if (flags & 4)
            candidate.device_type = code.byte() % 16;
        for (int64_t &extent : map_extents)
            extent = code.extent();
        per_image = tensor(memory.per_image, IQA_FLOAT64, 1, extents, strides[2], false);
        per_channel = tensor(memory.per_channel, IQA_FLOAT64, 2, extents, strides[2], false);
        map = tensor(memory.map, flags & 8 ? IQA_FLOAT32 : IQA_FLOAT64, axes, flags & 16 ? extents : map_extents,
                     strides[2], false);
        extras.per_image = flags & 32 ? &per_image : nullptr;
        extras.per_channel = flags & 64 ? &per_channel : nullptr;
        extras.map = flags & 128 ? &map : nullptr;
        const uint8_t more = code.byte();
        constexpr int32_t weight_types[] = {IQA_BOOL, IQA_UINT8, IQA_FLOAT32, IQA_FLOAT64};
        weights = tensor(memory.weights, weight_types[more % 4], axes, extents, strides[3], more & 4);
        gradient = tensor(memory.gradient, more & 8 ? IQA_FLOAT32 : IQA_FLOAT64, axes, extents, strides[4], false);
        extras.weights = more & 16 ? &weights : nullptr;
        extras.candidate_gradient = more & 32 ? &gradient : nullptr;
        extras.reference_gradient = (more & 96) == 64 ? &gradient : nullptr;
    }

    iqa_status apply(iqa_metric *metric) const { return iqa_metric_update(metric, &reference, &candidate, &extras); }
    void measure(iqa_metric *metric) const
    {
        double value = 0.0;
        iqa_metric_measure(metric, &reference, &candidate, &extras, &value);
    }

private:
    // A tensor within its memory, or one that the library must refuse by its extents alone.
    iqa_tensor tensor(std::vector<uint8_t> &memory, int32_t type, int32_t axes, const int64_t *shape, int64_t *steps,
                      bool strided)
    {
        iqa_tensor made = iqa_cpu_tensor(memory.data(), type, axes, shape);
        const int64_t size = (type & 0xff) / 8;
        made.byte_offset = uint64_t(code_.byte() % 4 * 8);
        int64_t reach = int64_t(made.byte_offset) / (size > 0 ? size : 1);
        bool fits = true;
        int64_t compact = 1;
        for (int axis = axes; axis-- > 0;) {
            steps[axis] = strided ? code_.byte() % 64 : compact;
            fits = fits && shape[axis] >= 0 && shape[axis] < 256;
            compact *= fits ? shape[axis] : 1;
            fits = fits && compact < 1 << 24;
            reach += fits && shape[axis] > 0 ? (shape[axis] - 1) * steps[axis] : 0;
        }
        fits = fits && (reach + 1) * size <= int64_t(memory.size());
        if (strided)
            made.strides = steps;
        if (!fits)
            made.data = nullptr; // too small for the extents
        return made;
    }

    program &code_;
};

// Options for a metric of labels.
struct label_options {
    iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
    iqa_confusion_options confusion = IQA_CONFUSION_OPTIONS_INIT;

    label_options(const label_options &) = delete;
    label_options &operator=(const label_options &) = delete;

    explicit label_options(program &code)
    {
        const uint8_t classes = code.byte();
        confusion.classes = classes == 255 ? 700 : classes % 41;
        const uint8_t flags = code.byte();
        confusion.task = flags & 1;
        confusion.batched = flags >> 1 & 1;
        confusion.counts = classes == 255 ? IQA_COUNTS_PER_CLASS : flags >> 2 & 1;
        confusion.ignore = flags >> 3 & 1;
        confusion.weighted = (flags >> 4 & 3) == 3;
        confusion.keep_samples = flags >> 6 & 1;
        confusion.ignore_label = int64_t(code.byte() % 48) - 2;
        const uint8_t kinds = code.byte();
        confusion.reference = kinds % 8 < 5 ? 0 : kinds % 8 - 4;
        confusion.candidate = kinds / 8 % 4;
        confusion.out_of_range = kinds / 32 % 4 < 2 ? IQA_OUT_OF_RANGE_DROP : kinds / 32 % 4;
        confusion.class_axis = int32_t(code.byte() % 6) - 2;
        confusion.top_k = flags & 128 ? code.byte() % 5 : 1;
        confusion.score = int32_t(code.byte() % 15) - 1;
        confusion.reading = &reading;
        reading.average = code.byte() % 6;
        reading.empty = code.byte() % 8;
        reading.zero_division = code.byte() % 4;
    }

    iqa_status create(iqa_context *context, iqa_metric **metric) const
    {
        return iqa_confusion_create(context, &confusion, metric);
    }
};

// The tensors of an update of labels, likewise. Labels and scores are small numbers.
struct label_request {
    int64_t extents[2][5], weight_extents[5], output_extents[3];
    int64_t strides[3][5];
    iqa_tensor reference, candidate, per_image, per_channel, map, weights;
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;

    label_request(const label_request &) = delete;
    label_request &operator=(const label_request &) = delete;

    label_request(program &code, update_memory &memory, const iqa_confusion_options &options)
    {
        const int32_t axes = code.byte() % 5;
        for (int64_t &extent : weight_extents)
            extent = code.extent();
        // Avoids 2^50 samples without elements, since each is visited.
        if (std::any_of(std::begin(weight_extents), std::end(weight_extents), [](int64_t n) { return n > 1 << 16; }))
            std::replace(std::begin(weight_extents), std::end(weight_extents), int64_t(0), int64_t(1));
        const uint8_t flags = code.byte();
        const int32_t range = code.byte() % 50 + 1;
        const bool labels_have_classes = options.task == IQA_TASK_MULTILABEL;
        reference = side(code, memory.reference, 0, axes, options,
                         labels_have_classes || options.reference == IQA_LABELS_ONE_HOT ||
                             options.reference == IQA_LABELS_ARGMAX,
                         range, flags & 1);
        candidate = side(code, memory.candidate, 1, axes, options,
                         labels_have_classes || options.candidate == IQA_LABELS_ONE_HOT ||
                             options.candidate == IQA_LABELS_ARGMAX,
                         range, flags & 2);
        weights = labels_have_classes ? iqa_cpu_tensor(memory.weights.data(), 0, reference.ndim, extents[0])
                                      : iqa_cpu_tensor(memory.weights.data(), 0, axes, weight_extents);
        set_type(weights, flags & 4 ? IQA_FLOAT32 : IQA_FLOAT64);
        fill(weights, memory.weights, 3, flags & 8 ? -1 : 0);
        output_extents[0] = options.batched && reference.ndim > 0 ? reference.shape[0] : 1;
        output_extents[1] = options.classes;
        output_extents[2] = 4;
        per_image = output(memory.per_image, IQA_FLOAT64, 1);
        per_channel = output(memory.per_channel, IQA_FLOAT64, 2);
        map = output(memory.map, options.weighted ? IQA_FLOAT64 : IQA_INT64, 3);
        extras.weights = options.weighted != (flags & 128) >> 7 ? &weights : nullptr;
        extras.per_image = flags & 16 ? &per_image : nullptr;
        extras.per_channel = flags & 32 ? &per_channel : nullptr;
        extras.counts = flags & 64 ? &map : nullptr;
    }

    iqa_status apply(iqa_metric *metric) const { return iqa_metric_update(metric, &reference, &candidate, &extras); }
    void measure(iqa_metric *metric) const
    {
        double value = 0.0;
        iqa_metric_measure(metric, &reference, &candidate, &extras, &value);
    }

private:
    static void set_type(iqa_tensor &tensor, int32_t type)
    {
        tensor.dtype_code = uint8_t(type >> 8);
        tensor.dtype_bits = uint8_t(type);
    }

    // The items of a compact tensor; -1 if its memory is too small.
    static int64_t items_of(const iqa_tensor &tensor, const std::vector<uint8_t> &memory)
    {
        int64_t items = 1;
        for (int axis = 0; axis < tensor.ndim; ++axis) {
            if (tensor.shape[axis] < 0 || tensor.shape[axis] > int64_t(memory.size()))
                return -1;
            items *= tensor.shape[axis];
            if (items * (tensor.dtype_bits / 8) > int64_t(memory.size()))
                return -1;
        }
        return items;
    }

    // Numbers from `least` to `least` + range - 1; halves among floating-point ones.
    static void fill(iqa_tensor &tensor, std::vector<uint8_t> &memory, int range, int least)
    {
        const int64_t items = items_of(tensor, memory);
        if (items < 0)
            tensor.data = nullptr;
        for (int64_t i = 0; i < items; ++i) {
            const int64_t value = (i * 7 + i / 5 % 3) % range + least;
            uint8_t *const to = memory.data() + i * (tensor.dtype_bits / 8);
            const float single = float(value) / 2;
            const double wide = double(value) / 2;
            const auto half = uint16_t(0x3c00 + value * 64);
            if (tensor.dtype_code != 2 && tensor.dtype_code != 4)
                std::memcpy(to, &value, tensor.dtype_bits / 8);
            else if (tensor.dtype_bits == 64)
                std::memcpy(to, &wide, sizeof wide);
            else if (tensor.dtype_bits == 32)
                std::memcpy(to, &single, sizeof single);
            else
                std::memcpy(to, &half, sizeof half);
        }
    }

    iqa_tensor side(program &code, std::vector<uint8_t> &memory, int index, int32_t axes,
                    const iqa_confusion_options &options, bool has_classes, int32_t range, bool permuted)
    {
        constexpr int32_t types[] = {IQA_UINT8, IQA_INT8,    IQA_UINT16,  IQA_INT16,   IQA_INT32,   IQA_INT64,
                                     IQA_BOOL,  IQA_FLOAT32, IQA_FLOAT64, IQA_FLOAT16, IQA_BFLOAT16};
        int64_t *const shape = extents[index];
        int32_t count = 0;
        const int32_t whole = axes + (has_classes ? 1 : 0);
        const int32_t of_classes = options.class_axis < 0 ? whole + options.class_axis : options.class_axis;
        for (int32_t axis = 0, from = 0; axis < whole; ++axis)
            shape[count++] = has_classes && axis == of_classes ? options.classes : weight_extents[from++ % 5];
        iqa_tensor made = iqa_cpu_tensor(memory.data(), types[code.byte() % std::size(types)], count, shape);
        fill(made, memory, range, code.byte() % 8 == 0 ? -1 : 0);
        if (permuted && made.data != nullptr) { // column-major
            int64_t step = 1;
            for (int32_t axis = 0; axis < count; ++axis) {
                strides[index][axis] = step;
                step *= shape[axis];
            }
            made.strides = strides[index];
        }
        return made;
    }

    iqa_tensor output(std::vector<uint8_t> &memory, int32_t type, int32_t axes)
    {
        iqa_tensor made = iqa_cpu_tensor(memory.data(), type, axes, output_extents);
        if (items_of(made, memory) < 0)
            made.data = nullptr;
        return made;
    }
};

// Options for FID.
struct feature_options {
    iqa_fid_options fid = IQA_FID_OPTIONS_INIT;

    explicit feature_options(program &code)
    {
        fid.features = code.byte() % 80;
        fid.fraction_bits = int32_t(code.byte() % 32) - 2;
        fid.word_bits = code.byte() % 2 ? IQA_FID_WORD_24 : IQA_FID_WORD_32;
    }

    iqa_status create(iqa_context *context, iqa_metric **metric) const { return iqa_fid_create(context, &fid, metric); }
};

// Rows of features for one set or both. Numbers around 1, and sometimes one outside every grid.
struct feature_request {
    int64_t extents[2][2], strides[2][2];
    iqa_tensor reference, candidate;
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;

    feature_request(const feature_request &) = delete;
    feature_request &operator=(const feature_request &) = delete;

    feature_request(program &code, update_memory &memory, const iqa_fid_options &options) : sides_(code.byte() % 4)
    {
        reference = rows(code, memory.reference, 0, options.features);
        candidate = rows(code, memory.candidate, 1, options.features);
    }

    iqa_status apply(iqa_metric *metric) const
    {
        return iqa_metric_update(metric, sides_ & 1 ? &reference : nullptr, sides_ & 2 ? &candidate : nullptr, &extras);
    }

private:
    iqa_tensor rows(program &code, std::vector<uint8_t> &memory, int side, int64_t features)
    {
        constexpr int32_t types[] = {IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64};
        const uint8_t flags = code.byte();
        const int32_t type = types[flags & 3];
        const int64_t size = (type & 0xff) / 8;
        const int64_t room = features > 0 ? int64_t(memory.size()) / size / features : 0;
        extents[side][0] = std::min<int64_t>(code.byte() % 50, room);
        extents[side][1] = flags & 64 && flags & 128 ? code.byte() % 8 : features;
        iqa_tensor made = iqa_cpu_tensor(memory.data(), type, 2, extents[side]);
        if (flags & 4) { // column-major
            strides[side][0] = 1;
            strides[side][1] = extents[side][0];
            made.strides = strides[side];
        }
        const uint32_t seed = code.number<uint16_t>();
        for (int64_t i = 0; i < extents[side][0] * features; ++i) {
            const uint32_t bits = (uint32_t(i) * 2654435761u) ^ seed;
            const double value = (double(bits >> 8) / (1 << 23) - 1) * (flags & 8 ? 8 : 0.5);
            store(memory.data() + i * size, type, value);
        }
        if (flags & 16 && extents[side][0] > 0 && features > 0)
            store(memory.data() + seed % (extents[side][0] * features) * size, type, flags & 32 ? 1e30 : 300);
        return made;
    }

    static void store(uint8_t *to, int32_t type, double value)
    {
        const auto single = float(value);
        uint32_t bits = 0;
        std::memcpy(&bits, &single, sizeof bits);
        const auto brain = uint16_t(bits >> 16);
        // Truncated; a number outside the type's range becomes 0 or an infinity.
        const int32_t exponent = int32_t(bits >> 23 & 0xff) - 112;
        const auto half = uint16_t((bits >> 16 & 0x8000) | (exponent <= 0    ? 0
                                                            : exponent >= 31 ? 0x7c00
                                                                             : exponent << 10 | (bits >> 13 & 0x3ff)));
        if (type == IQA_FLOAT64)
            std::memcpy(to, &value, sizeof value);
        else if (type == IQA_FLOAT32)
            std::memcpy(to, &single, sizeof single);
        else
            std::memcpy(to, type == IQA_FLOAT16 ? &half : &brain, sizeof half);
    }

    uint8_t sides_;
};

} // namespace fuzz

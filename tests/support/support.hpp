// SPDX-License-Identifier: MIT
// What tests share: handles that clean up after themselves, tensors with any strides, and images.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arith/half.h"
#include "iqa_c.h"

namespace test {

// Where the tensors of a test are, as the program says that it is linked into: some tests run a second time on the
// sequential machine of tests/cuda.
extern const int32_t device_of_tests;

struct context_deleter {
    void operator()(iqa_context *context) const { iqa_context_destroy(context); }
};
struct metric_deleter {
    void operator()(iqa_metric *metric) const { iqa_metric_destroy(metric); }
};
using context_pointer = std::unique_ptr<iqa_context, context_deleter>;
using metric_pointer = std::unique_ptr<iqa_metric, metric_deleter>;

inline context_pointer make_context(int threads = 2, int isa = IQA_ISA_BEST)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.instruction_set = isa;
    iqa_context *context = nullptr;
    if (iqa_context_create(&options, &context) != IQA_OK)
        return nullptr;
    return context_pointer(context);
}

inline std::string last_error(const context_pointer &context)
{
    return iqa_context_error(context.get());
}

inline metric_pointer make_ssim(const context_pointer &context, const iqa_ssim_options &options)
{
    iqa_metric *metric = nullptr;
    iqa_ssim_create(context.get(), &options, &metric);
    return metric_pointer(metric);
}

inline metric_pointer make_psnr(const context_pointer &context, const iqa_psnr_options &options)
{
    iqa_metric *metric = nullptr;
    iqa_psnr_create(context.get(), &options, &metric);
    return metric_pointer(metric);
}

inline metric_pointer make_errors(const context_pointer &context, const iqa_errors_options &options)
{
    iqa_metric *metric = nullptr;
    iqa_errors_create(context.get(), &options, &metric);
    return metric_pointer(metric);
}

// The status of an update, and of its data: on a device those that are at fault show when the state is asked for.
inline iqa_status settled_update(const metric_pointer &metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                                 const iqa_update_extras *extras = nullptr)
{
    const iqa_status status = iqa_metric_update(metric.get(), reference, candidate, extras);
    size_t lanes = 0;
    return status == IQA_OK ? iqa_metric_lanes(metric.get(), nullptr, 0, &lanes) : status;
}

inline double read(const metric_pointer &metric, int field = IQA_FIELD_VALUE)
{
    double value = -12345;
    iqa_metric_read(metric.get(), field, &value, 1, nullptr);
    return value;
}

inline std::vector<unsigned char> bytes_of(const metric_pointer &metric)
{
    size_t size = 0;
    iqa_metric_serialize(metric.get(), nullptr, 0, &size);
    std::vector<unsigned char> bytes(size);
    iqa_metric_serialize(metric.get(), bytes.data(), size, nullptr);
    return bytes;
}

inline std::vector<int64_t> lanes_of(const metric_pointer &metric)
{
    size_t count = 0;
    iqa_metric_lanes(metric.get(), nullptr, 0, &count);
    std::vector<int64_t> lanes(count);
    iqa_metric_lanes(metric.get(), lanes.data(), count, nullptr);
    return lanes;
}

// ---- Element types

template <class Sample>
struct dtype_of;
template <>
struct dtype_of<uint8_t> {
    static constexpr int value = IQA_UINT8;
};
template <>
struct dtype_of<uint16_t> {
    static constexpr int value = IQA_UINT16;
};
template <>
struct dtype_of<int16_t> {
    static constexpr int value = IQA_INT16;
};
template <>
struct dtype_of<iqa::float16> {
    static constexpr int value = IQA_FLOAT16;
};
template <>
struct dtype_of<iqa::bfloat16> {
    static constexpr int value = IQA_BFLOAT16;
};
template <>
struct dtype_of<float> {
    static constexpr int value = IQA_FLOAT32;
};
template <>
struct dtype_of<double> {
    static constexpr int value = IQA_FLOAT64;
};

// Small integers fit every type exactly, also the 16-bit floating-point ones.
template <class Sample>
Sample sample_from(double value)
{
    if constexpr (std::is_same_v<Sample, iqa::float16>) {
        // Integers up to 2048 and their like: sign, exponent, ten bits.
        if (value == 0)
            return {0};
        const uint64_t bits = iqa::bits_of(value);
        const int exponent = int((bits >> 52) & 0x7ff) - 1023 + 15;
        return {uint16_t(((bits >> 63) << 15) | (uint64_t(exponent) << 10) | ((bits >> 42) & 0x3ff))};
    } else if constexpr (std::is_same_v<Sample, iqa::bfloat16>) {
        return {uint16_t(iqa::bits_of(float(value)) >> 16)};
    } else {
        return Sample(value);
    }
}

// ---- Tensors

// A tensor that owns its shape and strides.
struct tensor {
    std::vector<int64_t> shape;
    std::vector<int64_t> strides;
    iqa_tensor view{};

    tensor(const void *data, int dtype, std::vector<int64_t> extents, std::vector<int64_t> steps = {})
        : shape(std::move(extents)), strides(std::move(steps))
    {
        view = iqa_cpu_tensor(data, dtype, int32_t(shape.size()), shape.data());
        view.strides = strides.empty() ? nullptr : strides.data();
        view.device_type = device_of_tests;
    }
    tensor(const tensor &) = delete;
    tensor &operator=(const tensor &) = delete;
    operator const iqa_tensor *() const { return &view; }
};

// One on the machine that plays a GPU in the host's memory: cuda/sequential/machine.hpp.
struct device_tensor : tensor {
    device_tensor(const void *data, int dtype, std::vector<int64_t> extents, std::vector<int64_t> steps = {})
        : tensor(data, dtype, std::move(extents), std::move(steps))
    {
        view.device_type = IQA_CUDA;
    }
};

// ---- Images

// The integer formula whose values in many libraries are known: a textured pair, 0 ... 255.
inline double formula_reference(int64_t i, int64_t j)
{
    return double((37 * i + 101 * j + 17 * ((i * j) % 13)) % 256);
}

inline double formula_candidate(int64_t i, int64_t j)
{
    const double value = formula_reference(i, j) + double((7 * i + 3 * j + ((i * j) % 5)) % 41) - 20;
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

template <class Sample>
std::vector<Sample> make_image(int64_t height, int64_t width, const std::function<double(int64_t, int64_t)> &value)
{
    std::vector<Sample> image;
    image.reserve(size_t(height * width));
    for (int64_t i = 0; i < height; ++i)
        for (int64_t j = 0; j < width; ++j)
            image.push_back(sample_from<Sample>(value(i, j)));
    return image;
}

// A small generator with a fixed sequence.
class random_numbers {
public:
    explicit random_numbers(uint64_t seed) : state_(seed * 2 + 1) {}
    uint32_t next()
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return uint32_t(state_ >> 33);
    }
    double uniform() { return next() * 0x1p-31; } // [0, 1)
    int64_t below(int64_t limit) { return int64_t(next()) % limit; }

private:
    uint64_t state_;
};

} // namespace test

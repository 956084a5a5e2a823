// SPDX-License-Identifier: MIT
#include "metrics/network/weights.hpp"

#include <algorithm>
#include <string_view>

#include "arith/half.h"
#include "core/arena.hpp"
#include "core/option_text.hpp"
#include "core/state.hpp"
#include "core/tensor.hpp"

namespace iqa {

namespace {

// What state dictionaries have and features do without: counters of training, and the second classifier.
bool is_unused(std::string_view name)
{
    return name.ends_with(".num_batches_tracked") || name.starts_with("AuxLogits.");
}

// One of the caller's tensors, which has the shape that it should have.
class weight_tensor {
public:
    weight_tensor(const iqa_tensor &tensor, const weight_shape &expected) : data_(data_of(tensor)), name_(expected.name)
    {
        check_extents(tensor, name_);
        if (tensor.data == nullptr)
            fail(IQA_ERROR_INVALID_ARGUMENT, name_, ".data is NULL");
        if (tensor.device_type != IQA_CPU)
            fail(IQA_ERROR_DEVICE, name_, " is on device ", tensor.device_type, "; expected weights on the CPU");
        switch (dtype_of(tensor)) {
        case IQA_FLOAT16:
        case IQA_BFLOAT16:
        case IQA_FLOAT32:
        case IQA_FLOAT64:
            type_ = static_cast<element_type>(dtype_of(tensor));
            break;
        default:
            fail(IQA_ERROR_DTYPE, name_, " has element type ", dtype_text(tensor), "; expected a floating-point type");
        }
        bool same = tensor.ndim == expected.ndim;
        for (int axis = 0; same && axis < expected.ndim; ++axis)
            same = tensor.shape[axis] == expected.shape[axis];
        if (!same) {
            text shape;
            for (int axis = 0; axis < expected.ndim; ++axis)
                shape << (axis == 0 ? "[" : ", ") << expected.shape[axis];
            fail(IQA_ERROR_SHAPE, name_, " has shape ", shape_text(tensor), "; expected ", shape, "]");
        }
        for (int axis = 0; axis < expected.ndim; ++axis)
            strides_[axis] = stride_of(tensor, axis);
    }

    double at(int64_t i, int64_t j = 0, int64_t k = 0, int64_t l = 0) const
    {
        const int64_t index = i * strides_[0] + j * strides_[1] + k * strides_[2] + l * strides_[3];
        const double value = with_sample_type(
            type_, [&]<class Number>(Number) { return double(widen(reinterpret_cast<const Number *>(data_)[index])); });
        if (!is_finite(value))
            fail(IQA_ERROR_NUMERIC, name_, " has ", value, "; expected finite weights");
        return value;
    }

    const char *name() const { return name_; }

private:
    static const std::byte *data_of(const iqa_tensor &tensor)
    {
        return static_cast<const std::byte *>(tensor.data) + tensor.byte_offset;
    }

    const std::byte *data_;
    const char *name_;
    element_type type_{};
    int64_t strides_[4] = {};
};

class packer {
public:
    explicit packer(std::span<const iqa_named_tensor> tensors) : tensors_(tensors)
    {
        for (size_t i = 0; i < tensors.size(); ++i) {
            if (tensors[i].name == nullptr || tensors[i].tensor == nullptr)
                fail(IQA_ERROR_INVALID_ARGUMENT, "tensors[", i, "] has no ",
                     tensors[i].name == nullptr ? "name" : "tensor");
            if (!is_unused(tensors[i].name) && !is_known(tensors[i].name))
                fail(IQA_ERROR_INVALID_ARGUMENT, "tensors[", i, "] is ", quoted(tensors[i].name),
                     ", which Inception v3 does not have");
        }
    }

    void pack_convolution(int index, float *weights, float *bias) const
    {
        const convolution_shape &shape = inception.shapes[size_t(index)];
        const int first = index * convolution_weight::count;
        const weight_tensor kernels = find(first + convolution_weight::kernel),
                            gammas = find(first + convolution_weight::gamma),
                            betas = find(first + convolution_weight::beta),
                            means = find(first + convolution_weight::mean),
                            variances = find(first + convolution_weight::variance);
        for (int64_t output = 0; output < shape.outputs; ++output) {
            if (!(variances.at(output) + inception_epsilon > 0.0))
                fail(IQA_ERROR_NUMERIC, variances.name(), "[", output, "] is ", variances.at(output),
                     "; expected a variance");
            const batch_normalisation folded = fold_normalisation(gammas.at(output), betas.at(output), means.at(output),
                                                                  variances.at(output), inception_epsilon);
            bias[output] = rounded(folded.bias, betas);
            float *to = weights + output / network_group * network_group * shape.chain() + output % network_group;
            for (int row = 0; row < shape.rows; ++row)
                for (int column = 0; column < shape.columns; ++column)
                    for (int input = 0; input < shape.inputs; ++input, to += network_group)
                        *to = rounded(kernels.at(output, input, row, column) * folded.factor, kernels);
        }
    }

    void pack_classes(float *weights, float *bias) const
    {
        const weight_tensor matrix = find(class_weights), offsets = find(class_bias);
        for (int64_t output = 0; output < inception_classes; ++output) {
            bias[output] = rounded(offsets.at(output), offsets);
            float *to = weights + output / network_group * network_group * inception_width + output % network_group;
            for (int64_t input = 0; input < inception_width; ++input, to += network_group)
                *to = rounded(matrix.at(output, input), matrix);
        }
    }

private:
    static bool is_known(std::string_view name)
    {
        return std::any_of(inception_weights.begin(), inception_weights.end(),
                           [&](const weight_shape &weight) { return name == weight.name; });
    }

    weight_tensor find(int index) const
    {
        const weight_shape &expected = inception_weights[size_t(index)];
        const iqa_tensor *found = nullptr;
        for (const iqa_named_tensor &one : tensors_)
            if (std::string_view(expected.name) == one.name) {
                if (found != nullptr)
                    fail(IQA_ERROR_INVALID_ARGUMENT, "tensors has ", expected.name, " twice");
                found = one.tensor;
            }
        if (found == nullptr)
            fail(IQA_ERROR_INVALID_ARGUMENT, "tensors lacks ", expected.name);
        return weight_tensor(*found, expected);
    }

    static float rounded(double value, const weight_tensor &source)
    {
        const auto narrow = float(value);
        if (!is_finite(double(narrow)))
            fail(IQA_ERROR_NUMERIC, source.name(), " gives the weight ", value, ", which is no float32");
        return narrow + 0.0f; // -0 becomes 0, so that chains begin alike
    }

    std::span<const iqa_named_tensor> tensors_;
};

uint64_t digest_of(const float *numbers, int64_t count)
{
    uint64_t hash = hash_of_nothing; // over 32-bit words
    for (int64_t i = 0; i < count; ++i)
        hash = hash_with(hash, bits_of(numbers[i]));
    return hash;
}

} // namespace

packed_weights pack_weights(scratch &memory, std::span<const iqa_named_tensor> tensors)
{
    const packer from(tensors);
    int64_t count = int64_t(inception_classes) * (inception_width + 2);
    for (const convolution_shape &shape : inception.shapes)
        count += shape.outputs * (shape.chain() + 1);
    float *const first = memory.take<float>(size_t(count), "the weights of a network");
    float *next = first;
    const auto take = [&](int64_t numbers) {
        float *const taken = next;
        next += numbers;
        return taken;
    };
    packed_weights all{};
    for (size_t i = 0; i < inception.shapes.size(); ++i) {
        const convolution_shape &shape = inception.shapes[i];
        float *const weights = take(shape.outputs * shape.chain());
        float *const bias = take(shape.outputs);
        from.pack_convolution(int(i), weights, bias);
        all.convolutions[i] = {weights, bias};
    }
    float *const weights = take(int64_t(inception_classes) * inception_width);
    float *const bias = take(inception_classes);
    float *const zeros = take(inception_classes);
    from.pack_classes(weights, bias);
    std::fill_n(zeros, inception_classes, 0.0f);
    all.classes = {weights, bias};
    all.no_bias = zeros;
    all.digest = digest_of(first, count);
    all.all = {first, size_t(count)};
    return all;
}

} // namespace iqa

// SPDX-License-Identifier: MIT
#include "metrics/network/weights.hpp"

#include <cmath>
#include <string_view>

#include "arith/half.h"
#include "core/arena.hpp"
#include "core/option_text.hpp"
#include "core/tensor.hpp"

namespace iqa {

namespace {

// What state dictionaries have and features do without: counters of training, and the second classifier.
bool is_unused(std::string_view name)
{
    return name.ends_with(".num_batches_tracked") || name.starts_with("AuxLogits.");
}

text name_of(const convolution_shape &shape, const char *tensor)
{
    text name;
    name << shape.block;
    if (*shape.branch != '\0')
        name << "." << shape.branch;
    return name << "." << tensor;
}

// A weight tensor with up to four axes.
class weight_tensor {
public:
    weight_tensor(const iqa_tensor &tensor, const char *name) : tensor_(tensor), name_(name)
    {
        check_extents(tensor, name_);
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
        for (int axis = 0; axis < tensor.ndim && axis < 4; ++axis)
            strides_[axis] = stride_of(tensor, axis);
    }

    void expect_shape(std::span<const int64_t> shape) const
    {
        bool same = tensor_.ndim == int(shape.size());
        for (size_t axis = 0; same && axis < shape.size(); ++axis)
            same = tensor_.shape[axis] == shape[axis];
        if (same)
            return;
        text expected;
        for (size_t axis = 0; axis < shape.size(); ++axis)
            expected << (axis == 0 ? "[" : ", ") << shape[axis];
        fail(IQA_ERROR_SHAPE, name_, " has shape ", shape_text(tensor_), "; expected ", expected, "]");
    }

    double at(int64_t i, int64_t j = 0, int64_t k = 0, int64_t l = 0) const
    {
        const int64_t index = i * strides_[0] + j * strides_[1] + k * strides_[2] + l * strides_[3];
        const std::byte *data = static_cast<const std::byte *>(tensor_.data) + tensor_.byte_offset;
        const double value = with_sample_type(
            type_, [&]<class Number>(Number) { return double(widen(reinterpret_cast<const Number *>(data)[index])); });
        if (!is_finite(value))
            fail(IQA_ERROR_NUMERIC, name_, " has ", value, "; expected finite weights");
        return value;
    }

private:
    const iqa_tensor &tensor_;
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

    void pack_convolution(const convolution_shape &shape, float *weights, float *bias) const
    {
        const int64_t outputs = shape.outputs;
        const text name = name_of(shape, "conv.weight");
        const weight_tensor kernel = find(name);
        kernel.expect_shape(std::array{outputs, int64_t(shape.inputs), int64_t(shape.rows), int64_t(shape.columns)});
        const text names[4] = {name_of(shape, "bn.weight"), name_of(shape, "bn.bias"),
                               name_of(shape, "bn.running_mean"), name_of(shape, "bn.running_var")};
        const weight_tensor gamma = find(names[0]), beta = find(names[1]), mean = find(names[2]),
                            variance = find(names[3]);
        for (const weight_tensor *one : {&gamma, &beta, &mean, &variance})
            one->expect_shape(std::array{outputs});
        for (int64_t output = 0; output < outputs; ++output) {
            if (!(variance.at(output) + inception_epsilon > 0.0))
                fail(IQA_ERROR_NUMERIC, names[3], "[", output, "] is ", variance.at(output), "; expected a variance");
            const batch_normalisation folded = fold_normalisation(gamma.at(output), beta.at(output), mean.at(output),
                                                                  variance.at(output), inception_epsilon);
            bias[output] = rounded(folded.bias, names[1]);
            float *to = weights + output / network_group * network_group * shape.chain() + output % network_group;
            for (int row = 0; row < shape.rows; ++row)
                for (int column = 0; column < shape.columns; ++column)
                    for (int input = 0; input < shape.inputs; ++input, to += network_group)
                        *to = rounded(kernel.at(output, input, row, column) * folded.factor, name);
        }
    }

    void pack_classes(float *weights, float *bias) const
    {
        const weight_tensor matrix = find("fc.weight");
        matrix.expect_shape(std::array<int64_t, 2>{inception_classes, inception_width});
        const weight_tensor offsets = find("fc.bias");
        offsets.expect_shape(std::array<int64_t, 1>{inception_classes});
        for (int64_t output = 0; output < inception_classes; ++output) {
            bias[output] = rounded(offsets.at(output), "fc.bias");
            float *to = weights + output / network_group * network_group * inception_width + output % network_group;
            for (int64_t input = 0; input < inception_width; ++input, to += network_group)
                *to = rounded(matrix.at(output, input), "fc.weight");
        }
    }

private:
    static bool is_known(std::string_view name)
    {
        if (name == "fc.weight" || name == "fc.bias")
            return true;
        for (const convolution_shape &shape : inception.shapes)
            for (const char *tensor : {"conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"})
                if (name == name_of(shape, tensor).view())
                    return true;
        return false;
    }

    weight_tensor find(const text &name) const { return find(name.c_str()); }
    weight_tensor find(const char *name) const
    {
        const iqa_tensor *found = nullptr;
        for (const iqa_named_tensor &one : tensors_)
            if (std::string_view(name) == one.name) {
                if (found != nullptr)
                    fail(IQA_ERROR_INVALID_ARGUMENT, "tensors has ", name, " twice");
                found = one.tensor;
            }
        if (found == nullptr)
            fail(IQA_ERROR_INVALID_ARGUMENT, "tensors lacks ", name);
        return weight_tensor(*found, name);
    }

    template <class Name>
    static float rounded(double value, const Name &name)
    {
        const auto narrow = float(value);
        if (!is_finite(double(narrow)))
            fail(IQA_ERROR_NUMERIC, "the weight ", value, " that follows from ", name, " is no float32");
        return narrow + 0.0f; // -0 becomes 0, so that chains begin alike
    }

    std::span<const iqa_named_tensor> tensors_;
};

uint64_t digest_of(const float *numbers, int64_t count)
{
    uint64_t hash = 0xcbf29ce484222325u; // FNV-1a over 32-bit words
    for (int64_t i = 0; i < count; ++i)
        hash = (hash ^ bits_of(numbers[i])) * 0x100000001b3u;
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
        from.pack_convolution(shape, weights, bias);
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
    all.bytes = size_t(count) * sizeof(float);
    return all;
}

} // namespace iqa

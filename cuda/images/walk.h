// SPDX-License-Identifier: MIT
// Walks over the samples of an image, which lie in several tensors of one shape.
#pragma once

#include "cuda/images/samples.h"
#include "cuda/machine/places.h"

namespace iqa::cuda {

// Steps in bytes from a sample to the next, in each tensor.
template <size_t tensors>
struct joint_axis {
    int64_t extent;
    int64_t steps[tensors];
};

constexpr size_t most_axes = 4;

// The samples of an image, or of one of its channels, are numbered along these axes, from the innermost. axes.hpp makes
// it.
template <size_t tensors>
struct joint_order {
    joint_axis<tensors> axes[most_axes];
    size_t count; // at least 1
    int64_t image_steps[tensors], channel_steps[tensors];
};

// Where a sample lies: bytes from the first one of each tensor.
template <size_t tensors>
struct joint_place {
    int64_t offset[tensors];
};

// The places of samples first, first + stride, ... of an image from `channel` on. Along the innermost axis a step is an
// addition.
template <size_t tensors, int stride>
class sample_walk {
public:
    IQA_KERNEL sample_walk(const joint_order<tensors> &order, int64_t image, int64_t channel, int64_t first)
        : order_(order), image_(image), channel_(channel), number_(first)
    {
        find();
    }

    // The next places.
    template <int count>
    IQA_KERNEL void take(joint_place<tensors> (&places)[count])
    {
        IQA_UNROLL_ON_GPU
        for (int k = 0; k < count; ++k) {
            places[k] = place_;
            advance();
        }
    }

private:
    IQA_KERNEL void advance()
    {
        number_ += stride;
        left_ -= stride;
        if (left_ <= 0)
            return find();
        IQA_UNROLL_ON_GPU
        for (size_t i = 0; i < tensors; ++i)
            place_.offset[i] += stride * order_.axes[0].steps[i];
    }

    IQA_KERNEL void find()
    {
        IQA_UNROLL_ON_GPU
        for (size_t i = 0; i < tensors; ++i)
            place_.offset[i] = image_ * order_.image_steps[i] + channel_ * order_.channel_steps[i];
        int64_t rest = number_;
        const int64_t index = go_along(0, rest);
        const int64_t left = order_.axes[0].extent - index;
        left_ = left < INT32_MAX ? int(left) : INT32_MAX;
        IQA_UNROLL_ON_GPU
        for (size_t axis = 1; axis < most_axes; ++axis) {
            if (axis >= order_.count)
                break;
            go_along(axis, rest);
        }
    }

    // Takes the axis' index from the number `rest` and goes there.
    IQA_KERNEL int64_t go_along(size_t axis, int64_t &rest)
    {
        const int64_t index = axis + 1 < order_.count ? take_index(rest, order_.axes[axis].extent) : rest;
        IQA_UNROLL_ON_GPU
        for (size_t i = 0; i < tensors; ++i)
            place_.offset[i] += index * order_.axes[axis].steps[i];
        return index;
    }

    const joint_order<tensors> &order_;
    int64_t image_, channel_, number_;
    int left_; // samples up to the end of the innermost axis, or fewer
    joint_place<tensors> place_;
};

} // namespace iqa::cuda

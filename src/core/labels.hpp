// SPDX-License-Identifier: MIT
// Checked views of label tensors of any rank, reduced to as few axes as memory allows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arith/labels.h"
#include "core/tensor.hpp"

namespace iqa {

// Indices into strides: the tensors of one update, then two numbers that grow along the axes, the class of a multilabel
// element and the position in the order of the caller's axes.
enum : int { reference_side, candidate_side, weight_side, sides, label_index = sides, caller_position, strides };

constexpr int most_label_axes = 32;

struct position_axis {
    int64_t extent;
    int64_t stride[strides]; // in elements
};

// Positions in row-major order of these axes.
struct position_space {
    int axes = 0;
    position_axis axis[most_label_axes];

    int64_t count() const;
    void push(const position_axis &next) { axis[axes++] = next; }
};

// The same positions in the order of the reference's memory, without axes of extent 1.
position_space in_order_of_memory(const position_space &space);

// Merges axes that are contiguous for the first `count` strides. The other strides are those of the inner axis.
position_space merge_axes(const position_space &space, int count);

// The tensors' form by the options.
struct label_shape {
    label_kind kind[2];
    int32_t class_axis;
    int64_t classes;
    bool multilabel;
    bool batched;
};

struct label_view {
    const std::byte *data = nullptr;
    label_type type = label_type::uint8;
    label_kind kind = label_kind::index;
    int64_t class_stride = 0; // between the scores of an element, or the classes of a multilabel tensor
};

// The label for an error text; INT64_MAX stands for all larger ones.
IQA_HD int64_t shown_label(const label_view &view, int64_t label)
{
    const bool is_larger = view.kind == label_kind::index && view.type == label_type::uint64 && label < 0;
    return is_larger ? INT64_MAX : label;
}

struct label_pair {
    label_view labels[2];
    const std::byte *weights = nullptr;
    label_type weight_type = label_type::float64;
    int64_t weight_class_stride = 0; // multilabel

    int64_t samples = 1;
    int64_t sample_stride[sides] = {};
    position_space positions; // in the order of the caller's axes, with samples and multilabel classes
    bool batched = false;     // the first axis of `positions` is that of samples

    double weight_at(int64_t offset) const
    {
        return weight_type == label_type::float32 ? reinterpret_cast<const float *>(weights)[offset]
                                                  : reinterpret_cast<const double *>(weights)[offset];
    }
};

// Throws if shapes, types or devices disagree. `weights` may be NULL.
label_pair view_labels(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_tensor *weights,
                       const label_shape &shape);

// "[3, 17, 5]": the index of a position.
text position_text(const position_space &space, int64_t position);

// The offset of a position, in elements.
int64_t offset_of(const position_space &space, int64_t position, int side);

// The caller's memory for numbers along up to three axes. `data` is NULL for an output that is not wanted.
struct number_view {
    std::byte *data = nullptr;
    bool integers = false; // int64, else float64
    int64_t stride[3] = {};

    IQA_HD_MEMBER void store(int64_t i, int64_t j, int64_t k, double value) const
    {
        reinterpret_cast<double *>(data)[i * stride[0] + j * stride[1] + k * stride[2]] = value;
    }
    IQA_HD_MEMBER void store(int64_t i, int64_t j, int64_t k, int64_t value) const
    {
        reinterpret_cast<int64_t *>(data)[i * stride[0] + j * stride[1] + k * stride[2]] = value;
    }
};
number_view view_numbers(const iqa_tensor *tensor, const char *name, bool integers, const int64_t *extents, int axes,
                         const iqa_tensor &labels);

} // namespace iqa

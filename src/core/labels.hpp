// SPDX-License-Identifier: MIT
// Checked views of label tensors: any number of axes, reduced to as few as memory allows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arith/labels.h"
#include "core/tensor.hpp"

namespace iqa {

// The tensors of one update, as indices into strides; then two more numbers that grow along the axes: the class of a
// multilabel element, and the position in the order of the caller's axes.
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

// The same positions in the order in which they lie in the reference's memory. Axes of one position are left out.
position_space in_order_of_memory(const position_space &space);

// Axes that are one for the first `count` of the strides become one. The others stay as the inner axis has them.
position_space merge_axes(const position_space &space, int count);

// What the options say about the tensors.
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

// What an error says of a label: INT64_MAX stands for all that are larger.
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
    position_space all;   // in the order of the caller's axes, samples and multilabel classes included
    bool batched = false; // the first axis of `all` is that of samples

    double weight_at(int64_t offset) const
    {
        return weight_type == label_type::float32 ? reinterpret_cast<const float *>(weights)[offset]
                                                  : reinterpret_cast<const double *>(weights)[offset];
    }
};

// Throws for whatever does not fit together. `weights` is NULL where there are none.
label_pair view_labels(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_tensor *weights,
                       const label_shape &shape);

// "[3, 17, 5]": the index of a position of `all`.
text position_text(const position_space &space, int64_t position);

// The offset in elements of a position.
int64_t offset_of(const position_space &space, int64_t position, int side);

// The caller's memory for numbers along up to three axes. `data` is NULL where none is wanted.
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

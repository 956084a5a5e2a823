// SPDX-License-Identifier: MIT
// Faults found in tensor contents. The CPU ends the call; a device keeps the first fault until the host waits for it.
#pragma once

#include <cstdint>

#include "arith/portable.h"

namespace iqa {

// Beside each kind: the fields of `fault` that it sets.
enum class fault_kind : int32_t {
    none,
    nonfinite,      // image, count: of its samples that are not finite
    overflow,       // image: its squares are beyond the arithmetic
    weights,        // no field: a pixel's weight is invalid (NaN, below 0, above 1)
    masked,         // image, level, channel: no pixel of it counts; channel -1 is all channels
    negative_power, // image, level, channel, value: its mean there, which has no power
    label_weight,   // position, shape: the weight there has no exact sums
    labels,         // side, position, label, shape: the first label outside the classes; count: all of them
    features        // side, row, column, value: not finite, or outside the grid
};

struct fault {
    fault_kind kind;
    int32_t side; // 0: the reference, 1: the candidate
    int64_t image, channel, level;
    int64_t row, column;
    int64_t position, label;
    int64_t shape; // the metric's number for the shape of the update, in which `position` has axes
    int64_t count;
    double value;
    int64_t update; // of the metric on this device, from 1
    uint64_t rank;  // of the first fault so far, while an update runs on a device
};

// `position` is one of label_pair::positions.
IQA_HD fault fault_of_weight(int64_t position, int64_t shape)
{
    fault found{};
    found.kind = fault_kind::label_weight;
    found.position = position;
    found.shape = shape;
    return found;
}

// `count` elements have a label outside the classes on either side; the other arguments describe the first.
IQA_HD fault fault_of_labels(int64_t count, int side, int64_t position, int64_t label, int64_t shape)
{
    fault found{};
    found.kind = fault_kind::labels;
    found.side = side;
    found.position = position;
    found.label = label;
    found.shape = shape;
    found.count = count;
    return found;
}

IQA_HD fault fault_of_feature(int side, int64_t row, int64_t column, double value)
{
    fault found{};
    found.kind = fault_kind::features;
    found.side = side;
    found.row = row;
    found.column = column;
    found.value = value;
    return found;
}

// Orders faults: by kind, then by image or key of a position. An earlier fault has a larger rank, so that a maximum
// keeps the first one and 0 means no fault.
IQA_HD uint64_t fault_rank(fault_kind kind, int64_t first)
{
    constexpr uint64_t kinds = 0xff;
    return (kinds - uint64_t(kind)) << 48 | ((uint64_t(1) << 48) - 1 - uint64_t(first));
}

IQA_HD fault_kind kind_of_rank(uint64_t rank)
{
    return static_cast<fault_kind>(0xff - (rank >> 48));
}

IQA_HD int64_t first_of_rank(uint64_t rank)
{
    return int64_t((uint64_t(1) << 48) - 1 - (rank & ((uint64_t(1) << 48) - 1)));
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// The arguments of the kernels for labels.
#pragma once

#include "arith/labels.h"

namespace iqa {

// A run of labels, `step` elements apart, and the rules of their codes: see arith/labels.h.
struct label_run {
    label_type type;
    const void *data;
    int64_t step;
    int64_t count;
    int64_t classes;
    bool ignoring;
    int64_t ignore_label;
};

// A run of elements with scores for each class, or with one score (threshold).
struct score_run {
    label_type type;
    label_kind kind;
    const void *data;
    int64_t step;
    int64_t class_step;
    int64_t count;   // at most label_block
    int64_t classes; // at most most_classes
    double threshold;
    void *scratch; // score_scratch bytes, aligned to 64
};

// Up to label_block pairs of codes, in arrays of label_room.
struct code_pairs {
    const void *rows, *columns;
    int64_t count;
    int64_t row_length;
    // Memory that is read next, to prefetch, and its bytes per pair; may be NULL.
    const void *upcoming[2];
    int64_t upcoming_size[2];
};

// Tables of 32-bit counts, `stride` apart, whose sum is the table.
struct count_tables {
    uint32_t *first;
    int64_t stride;
    int copies; // 1, 2 or 4
};

// A table of 16-bit counts, and its cells that counted this many pairs more, once for each time.
constexpr uint32_t pairs_of_carry = 1 << 16;
struct carrying_table {
    uint16_t *counts;
    uint32_t *carried;
    int64_t carries;
};

// Most weights are the sum of two integers in these units, which tables add without carries: those below the limit
// that have no bits below the lower unit. The parts are at most 2^44 and 2^43.
enum : int { upper_weight_exponent = -32, lower_weight_exponent = -76, weight_part_count = 2 };
constexpr double split_weight_limit = 0x1p12;
constexpr int64_t weights_of_a_table = 1 << 19; // as many fit: the sum of upper parts is below 2^64

// A run of float32 or float64 weights, `step` elements apart.
struct weight_run {
    label_type type;
    const void *data;
    int64_t step;
    int64_t count;
};

// Tables of sums of weights, each the lower part and the upper one; their copies are `stride` apart. `sums` has the sum
// of the weights before each pair of a block, and that of all.
struct weight_tables {
    int64_t *first;
    int64_t stride;
    int copies; // 1, 2 or 4
    int64_t *sums;
};

struct code_counters {
    int64_t ignored, invalid;
};

// The labels of a block, the room for their codes, of which kernels read some more, and the most classes whose codes
// fit bytes, and 16 bits as labels of int16 do.
enum : int { label_block = 1024, label_room = label_block + 64, most_byte_classes = 254, most_16_bit_classes = 32767 };

// The memory that labelling of scores takes, in bytes.
enum : int { score_scratch = 22 << 10 };

} // namespace iqa

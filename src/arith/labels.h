// SPDX-License-Identifier: MIT
// Labels: their types, scores to labels, and labels to the codes that are counted. Integers and comparisons only, so
// every device and instruction set gives the same result.
#pragma once

#include "arith/half.h"

namespace iqa {

constexpr int32_t most_classes = 65536;

// Element types of labels and scores, with DLPack's numbers: code << 8 | bits.
enum class label_type : int32_t {
    boolean = 0x0608,
    uint8 = 0x0108,
    int8 = 0x0008,
    uint16 = 0x0110,
    int16 = 0x0010,
    uint32 = 0x0120,
    int32 = 0x0020,
    uint64 = 0x0140,
    int64 = 0x0040,
    float16 = 0x0210,
    bfloat16 = 0x0410,
    float32 = 0x0220,
    float64 = 0x0240
};

constexpr int64_t label_size(label_type type)
{
    return (static_cast<int32_t>(type) & 0xff) / 8;
}

constexpr bool is_unsigned(label_type type)
{
    const int32_t code = static_cast<int32_t>(type) >> 8;
    return code == 1 || type == label_type::boolean;
}

enum class label_kind : int32_t { index, one_hot, argmax, threshold };

constexpr bool has_class_axis(label_kind kind)
{
    return kind == label_kind::one_hot || kind == label_kind::argmax;
}

// The labels of scores that name no class.
constexpr int32_t label_of_no_class = -1;
constexpr int32_t label_of_bad_one_hot = -2;
constexpr int32_t label_of_nan = -3;

// The code of a label. `Unsigned` is wide enough for `bound`: the class count, or less if the type has no larger
// labels. A negative label becomes a large unsigned number.
template <bool ignoring, class Code, class Unsigned, class Label>
IQA_HD Code code_of_label(Label label, Unsigned bound, Code outside, Code ignored, Label ignore_label)
{
    const auto number = Unsigned(label); // NOLINT(bugprone-signed-char-misuse): negative labels become large
    const Code code = number < bound ? Code(number) : outside;
    return ignoring && label == ignore_label ? ignored : code;
}

// A label of an integer type; a uint64 comes as its bits.
IQA_HD int64_t integer_label(label_type type, const void *address)
{
    switch (type) {
    case label_type::int8:
        return *static_cast<const int8_t *>(address);
    case label_type::uint16:
        return *static_cast<const uint16_t *>(address);
    case label_type::int16:
        return *static_cast<const int16_t *>(address);
    case label_type::uint32:
        return *static_cast<const uint32_t *>(address);
    case label_type::int32:
        return *static_cast<const int32_t *>(address);
    case label_type::uint64:
    case label_type::int64:
        return *static_cast<const int64_t *>(address);
    default:
        return *static_cast<const uint8_t *>(address);
    }
}

// A score in its type of comparison, exactly: integers of up to 16 bits become int.
template <class Number>
IQA_HD auto comparable(Number score)
{
    return +score;
}
IQA_HD float comparable(float16 score)
{
    return widen(score);
}
IQA_HD float comparable(bfloat16 score)
{
    return widen(score);
}

template <class Score>
using comparable_type = decltype(comparable(Score()));

// The scores below are those of one element, `step` apart.

// Among equal scores the lowest class wins.
template <class Score>
IQA_HD int32_t argmax_label(const Score *scores, int64_t step, int64_t classes)
{
    auto best = comparable(scores[0]);
    int32_t label = 0;
    bool ordered = best == best;
    for (int64_t c = 1; c < classes; ++c) {
        const auto score = comparable(scores[c * step]);
        ordered = ordered && score == score;
        label = score > best ? int32_t(c) : label;
        best = score > best ? score : best;
    }
    return ordered ? label : label_of_nan;
}

template <class Score>
IQA_HD int32_t one_hot_label(const Score *scores, int64_t step, int64_t classes)
{
    int32_t label = label_of_no_class;
    for (int64_t c = 0; c < classes; ++c) {
        const auto score = comparable(scores[c * step]);
        if (score == 1)
            label = label == label_of_no_class ? int32_t(c) : label_of_bad_one_hot;
        else if (score != 0)
            label = label_of_bad_one_hot;
    }
    return label;
}

template <class Score>
IQA_HD int32_t threshold_label(Score score, double threshold)
{
    const auto number = comparable(score);
    const int32_t above = double(number) > threshold ? 1 : 0;
    return number == number ? above : label_of_nan;
}

// Is a class among the k largest scores? Equal scores rank by class, the lowest first.
template <class Score>
IQA_HD bool is_in_top(const Score *scores, int64_t step, int64_t classes, int64_t target, int64_t k)
{
    const auto score = comparable(scores[target * step]);
    int64_t rank = 0;
    for (int64_t c = 0; c < classes; ++c) {
        const auto other = comparable(scores[c * step]);
        rank += other > score || (other == score && c < target);
    }
    return rank < k;
}

// Calls `function` with a pointer of the type.
template <class Function>
IQA_HD void with_labels(label_type type, const void *data, Function &&function)
{
    switch (type) {
    case label_type::boolean:
    case label_type::uint8:
        return function(static_cast<const uint8_t *>(data));
    case label_type::int8:
        return function(static_cast<const int8_t *>(data));
    case label_type::uint16:
        return function(static_cast<const uint16_t *>(data));
    case label_type::int16:
        return function(static_cast<const int16_t *>(data));
    case label_type::uint32:
        return function(static_cast<const uint32_t *>(data));
    case label_type::int32:
        return function(static_cast<const int32_t *>(data));
    case label_type::uint64:
        return function(static_cast<const uint64_t *>(data));
    case label_type::int64:
        return function(static_cast<const int64_t *>(data));
    case label_type::float16:
        return function(static_cast<const float16 *>(data));
    case label_type::bfloat16:
        return function(static_cast<const bfloat16 *>(data));
    case label_type::float32:
        return function(static_cast<const float *>(data));
    case label_type::float64:
        return function(static_cast<const double *>(data));
    }
}

} // namespace iqa

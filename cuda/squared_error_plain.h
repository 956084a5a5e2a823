// SPDX-License-Identifier: MIT
// Squared errors of samples that all count as they are and lie in rows without gaps: 16 bytes of both images at a time.
// Rows need not begin where 16 bytes do, but in both images at the same place between them; what comes before the first
// or after the last such place is read sample by sample.
//
// Bytes: those of both images, once. Instructions for a pair of samples, beside 16-byte loads: about 4 for uint8 and 5
// for 16-bit integers; about 30 for floating-point types, 10 of them in double.
#pragma once

#include "cuda/places.h"
#include "cuda/samples.h"
#include "cuda/squared_error.h"

namespace iqa::cuda {

// A plane's rows, numbered over three axes from the innermost, and the samples of one. Strides are in samples.
struct row_order {
    int64_t length;
    int64_t extents[3];
    int64_t reference_strides[3], candidate_strides[3];

    IQA_HD_MEMBER int64_t rows() const { return extents[0] * extents[1] * extents[2]; }
};

struct alignas(16) loaded_bytes {
    uint32_t words[4];
};

IQA_KERNEL uint8_t from_bits(uint32_t bits, uint8_t)
{
    return uint8_t(bits);
}

IQA_KERNEL uint16_t from_bits(uint32_t bits, uint16_t)
{
    return uint16_t(bits);
}

IQA_KERNEL int16_t from_bits(uint32_t bits, int16_t)
{
    return int16_t(bits);
}

template <class Half>
IQA_KERNEL Half from_bits(uint32_t bits, Half)
{
    return {uint16_t(bits)};
}

// Sample `index` of those in 16 bytes.
template <class Sample>
IQA_KERNEL Sample unpacked(const loaded_bytes &bytes, int index)
{
    constexpr int size = int(sizeof(Sample));
    const int word = index * size / 4;
    if constexpr (size == 8) {
        return double_from_bits(uint64_t(bytes.words[word]) | uint64_t(bytes.words[word + 1]) << 32);
    } else if constexpr (size == 4) {
        return float_from_bits(bytes.words[word]);
    } else {
        const uint32_t bits = bytes.words[word] >> (index * size % 4 * 8);
        return from_bits(bits, Sample{});
    }
}

// The sums of one thread, by kind of sample; and the least and the most of the samples, which save a second look at
// those that lie in the data range.
struct integer_errors {
    using number = int32_t;
    static constexpr number beyond = INT32_MAX;
    static constexpr int levels = 1;
    uint64_t sum;

    template <class Sample>
    IQA_HD_MEMBER static number widened(Sample sample)
    {
        return sample;
    }
    IQA_HD_MEMBER void add(number reference, number candidate, double)
    {
        const uint32_t difference = uint32_t(reference - candidate);
        sum += difference * difference; // at most 65535^2, which fits 32 bits
    }
    IQA_HD_MEMBER void add_to(error_totals<levels> &totals) const { totals.add(0, int64_t(sum)); }
    IQA_HD_MEMBER bool some_nonfinite() const { return false; }
};

template <class Real>
struct real_errors {
    using number = Real;
    static constexpr number beyond = Real(__builtin_huge_val());
    static constexpr int levels = error_levels;
    grid_sums sums;

    template <class Sample>
    IQA_HD_MEMBER static number widened(Sample sample)
    {
        return widen(sample);
    }

    IQA_HD_MEMBER void add(number reference, number candidate, double scale)
    {
        sums.add((double(reference) - double(candidate)) * scale, 1.0);
    }
    IQA_HD_MEMBER void add_to(error_totals<levels> &totals) const { sums.add_to(totals); }
    IQA_HD_MEMBER bool some_nonfinite() const { return !is_finite(double_from_bits(sums.largest)); }
};

template <class Sample>
struct errors_of;
template <>
struct errors_of<uint8_t> : integer_errors {
};
template <>
struct errors_of<uint16_t> : integer_errors {
};
template <>
struct errors_of<int16_t> : integer_errors {
};
template <>
struct errors_of<float16> : real_errors<float> {
};
template <>
struct errors_of<bfloat16> : real_errors<float> {
};
template <>
struct errors_of<float> : real_errors<float> {
};
template <>
struct errors_of<double> : real_errors<double> {
};

template <class Sample>
struct plain_errors {
    struct arguments {
        error_course course;
        const Sample *reference, *candidate;
        int64_t reference_image_stride, candidate_image_stride;
        int64_t reference_plane_stride, candidate_plane_stride;
        row_order rows;
        int64_t slots_of_row, slots_of_tile;
    };
    static constexpr int threads = 256;
    static constexpr int samples_of_slot = 16 / int(sizeof(Sample));
    static constexpr int slots_at_once = 4; // loads in flight, of each image

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &given)
    {
        sum_errors<plain_errors>(block, given);
    }

    template <class Block>
    IQA_KERNEL static void add_tile(Block &block, const arguments &given, int64_t plane, int64_t tile, double scale)
    {
        const error_course &course = given.course;
        const int64_t image = plane / course.planes;
        const int64_t channel = plane - image * course.planes;
        const Sample *x =
            given.reference + image * given.reference_image_stride + channel * given.reference_plane_stride;
        const Sample *y =
            given.candidate + image * given.candidate_image_stride + channel * given.candidate_plane_stride;
        const int64_t first = tile * given.slots_of_tile;
        const int64_t all = given.rows.rows() * given.slots_of_row;
        const int64_t end = first + given.slots_of_tile < all ? first + given.slots_of_tile : all;
        const auto totals = block.template reduce<error_totals<errors_of<Sample>::levels>>(
            threads, [&](int thread, auto &own) { add_slots(given, x, y, first + thread, end, scale, own); });
        block.each(1, [&](int) { add_to_accounts(course, plane, 0, totals); });
    }

private:
    using errors_here = errors_of<Sample>;
    using number = typename errors_here::number;

    // Where a slot's samples begin: the address is one of whole 16 bytes, and may lie before its row.
    struct slot {
        const Sample *reference, *candidate;
        int64_t before, after; // samples before the row's first, and after its last

        IQA_HD_MEMBER bool full() const { return before <= 0 && after <= 0; }
    };

    IQA_KERNEL static slot slot_at(const arguments &given, const Sample *x, const Sample *y, int64_t number)
    {
        int64_t within = number;
        if (given.rows.rows() != 1) {
            within = take_index(number, given.slots_of_row);
            IQA_UNROLL_ON_GPU
            for (int axis = 0; axis < 3; ++axis) {
                const int64_t index = take_index(number, given.rows.extents[axis]);
                x += index * given.rows.reference_strides[axis];
                y += index * given.rows.candidate_strides[axis];
            }
        }
        const int64_t lead = int64_t(reinterpret_cast<uintptr_t>(x) % 16 / sizeof(Sample));
        const int64_t begin = within * samples_of_slot - lead;
        return {x + begin, y + begin, -begin, begin + samples_of_slot - given.rows.length};
    }

    template <class Visit>
    IQA_KERNEL static void visit_part(const slot &at, Visit &&visit)
    {
        const int begin = at.before > 0 ? int(at.before) : 0;
        const int64_t end = samples_of_slot - (at.after > 0 ? at.after : 0);
        for (int i = begin; i < end; ++i)
            visit(at.reference[i], at.candidate[i]);
    }

    IQA_KERNEL static void add_slots(const arguments &given, const Sample *x, const Sample *y, int64_t first,
                                     int64_t end, double scale, error_totals<errors_here::levels> &own)
    {
        const data_range &range = given.course.range;
        errors_here errors{};
        number least = errors_here::beyond;
        number most = -errors_here::beyond;
        const auto add = [&](Sample reference, Sample candidate) {
            errors.add(errors_here::widened(reference), errors_here::widened(candidate), scale);
        };
        const auto bound = [&](Sample reference, Sample candidate) {
            extend_bounds(least, most, errors_here::widened(reference));
            extend_bounds(least, most, errors_here::widened(candidate));
        };
        for (int64_t number = first; number < end; number += slots_at_once * threads) {
            loaded_bytes loaded[slots_at_once][2];
            bool full[slots_at_once];
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < slots_at_once; ++k) {
                full[k] = false;
                if (number + k * threads >= end)
                    continue;
                const slot at = slot_at(given, x, y, number + k * threads);
                full[k] = at.full();
                if (full[k]) {
                    loaded[k][0] = *reinterpret_cast<const loaded_bytes *>(at.reference);
                    loaded[k][1] = *reinterpret_cast<const loaded_bytes *>(at.candidate);
                } else {
                    visit_part(at, add);
                    visit_part(at, bound);
                }
            }
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < slots_at_once; ++k) {
                if (!full[k])
                    continue;
                IQA_UNROLL_ON_GPU
                for (int i = 0; i < samples_of_slot; ++i)
                    add(unpacked<Sample>(loaded[k][0], i), unpacked<Sample>(loaded[k][1], i));
                if (given.course.counting) {
                    IQA_UNROLL_ON_GPU
                    for (int i = 0; i < samples_of_slot; ++i)
                        bound(unpacked<Sample>(loaded[k][0], i), unpacked<Sample>(loaded[k][1], i));
                }
            }
        }
        errors.add_to(own);
        const bool inside = double(least) >= range.low && double(most) <= range.high && !errors.some_nonfinite();
        if (!given.course.counting || inside)
            return;
        for (int64_t number = first; number < end; number += threads)
            visit_part(slot_at(given, x, y, number), [&](Sample reference, Sample candidate) {
                own.count(range, double(widen(reference)));
                own.count(range, double(widen(candidate)));
            });
    }

    // A NaN changes no bound.
    IQA_KERNEL static void extend_bounds(number &least, number &most, number value)
    {
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
};

} // namespace iqa::cuda

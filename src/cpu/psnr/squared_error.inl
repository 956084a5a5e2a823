// SPDX-License-Identifier: MIT
// Squared errors of runs of samples.
#pragma once

#include "arith/element_type.h"
#include "arith/portable.h"
#include "arith/squared_error.h"
#include "arith/weight.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/psnr/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

// Squares of 8-bit differences: 2^15 of them fit 32 bits.
static int64_t squared_error_of_bytes(const uint8_t *reference, const uint8_t *candidate, int64_t count)
{
    int64_t total = 0;
    for (int64_t from = 0; from < count;) {
        const int64_t to = count - from > 32768 ? from + 32768 : count;
        int32_t part = 0;
        for (; from < to; ++from) {
            const int16_t difference = int16_t(reference[from] - candidate[from]);
            part += int32_t(difference) * int32_t(difference);
        }
        total += part;
    }
    return total;
}

template <class Sample>
static int128 squared_error_of_words(const Sample *reference, const Sample *candidate, int64_t count)
{
    int128 total = 0;
    for (int64_t from = 0; from < count;) {
        const int64_t to = count - from > 1 << 24 ? from + (1 << 24) : count;
        uint64_t part = 0;
        for (; from < to; ++from) {
            const int32_t x = reference[from];
            const int32_t y = candidate[from];
            const uint32_t difference = uint32_t(x > y ? x - y : y - x);
            part += uint64_t(difference * difference); // at most 65535^2, which fits 32 bits
        }
        total += int128(part);
    }
    return total;
}

// Splits squares over the grids of arith/squared_error.h and adds their integers.
struct grid_sums {
    lanes_double scale;
    lanes_double least;
    lanes_double most;
    lanes_double largest = lanes_double::broadcast(0.0);
    lanes_double poison = lanes_double::broadcast(0.0); // NaN once a difference was not finite
    int64_t additions = 0;
    integer_sum level[error_levels] = {};

    lanes_double square_of(lanes_double x, lanes_double y)
    {
        const lanes_double difference = (x - y) * scale;
        least = smaller(x, smaller(y, least));
        most = larger(x, larger(y, most));
        poison = poison + (difference - difference);
        largest = larger(magnitude(difference), largest);
        return difference * difference;
    }

    void add(lanes_double rest)
    {
        IQA_UNROLL
        for (int i = 0; i < error_levels; ++i) {
            const lanes_double anchor = lanes_double::broadcast(error_anchor(i));
            const lanes_double anchored = rest + anchor;
            level[i].add_bits(anchored);
            rest = rest - (anchored - anchor);
        }
        ++additions;
    }

    void add_to(squared_error_total &total) const
    {
        for (int i = 0; i < error_levels; ++i)
            total.level[i] += level[i].total(additions, error_anchor(i));
        double each[lanes_double::width];
        largest.store(each);
        for (const double value : each)
            total.largest = value > total.largest ? value : total.largest;
        least.store(each);
        for (const double value : each)
            total.least_sample = value < total.least_sample ? value : total.least_sample;
        most.store(each);
        for (const double value : each)
            total.most_sample = value > total.most_sample ? value : total.most_sample;
        poison.store(each);
        for (const double value : each)
            total.nonfinite = total.nonfinite || value != value;
    }
};

template <bool weighted, class Real>
static void squared_error_of_floats(const Real *reference, const Real *candidate, const float *weights, int64_t count,
                                    double scale, squared_error_total &total)
{
    constexpr int width = lanes_double::width;
    constexpr int64_t block = int64_t(error_flush) * width;
    for (int64_t from = 0; from < count; from += block) {
        const int64_t to = count - from > block ? from + block : count;
        grid_sums sums = {.scale = lanes_double::broadcast(scale),
                          .least = lanes_double::broadcast(total.least_sample),
                          .most = lanes_double::broadcast(total.most_sample)};
        int64_t i = from;
        for (; i + width <= to; i += width) {
            const lanes_double square = sums.square_of(load_as_double(reference + i), load_as_double(candidate + i));
            sums.add(weighted ? square * load_as_double(weights + i) : square);
        }
        if (i < to) {
            // Repeating a sample changes no bound, and equal samples have no error.
            Real x[width];
            Real y[width];
            float w[width];
            for (int64_t k = 0; k < width; ++k) {
                x[k] = reference[i + k < to ? i + k : to - 1];
                y[k] = i + k < to ? candidate[i + k] : x[k];
                w[k] = weighted && i + k < to ? weights[i + k] : 1.0f;
            }
            sums.add(sums.square_of(load_as_double(x), load_as_double(y)) * load_as_double(w));
        }
        sums.add_to(total);
    }
}

// In units of 2^-pixel_weight_bits.
template <class Sample>
static int128 weighted_error_of_integers(const Sample *reference, const Sample *candidate, const float *weights,
                                         int64_t count)
{
    constexpr int64_t block = 128; // as many products of at most 2^24 * 65535^2 fit 64 bits
    int128 total = 0;
    for (int64_t from = 0; from < count;) {
        const int64_t to = count - from > block ? from + block : count;
        uint64_t part = 0;
        for (; from < to; ++from) {
            const int32_t x = reference[from];
            const int32_t y = candidate[from];
            const uint32_t difference = uint32_t(x > y ? x - y : y - x);
            part += uint64_t(difference * difference) * uint64_t(units_of_weight(weights[from]));
        }
        total += int128(part);
    }
    return total;
}

template <class Sample>
static void add_integer_errors(const sample_run &run, squared_error_total &total)
{
    const Sample *x = static_cast<const Sample *>(run.reference);
    const Sample *y = static_cast<const Sample *>(run.candidate);
    if (run.weights != nullptr)
        total.level[1] += weighted_error_of_integers(x, y, run.weights, run.count);
    else if constexpr (sizeof(Sample) == 1)
        total.level[0] += squared_error_of_bytes(x, y, run.count);
    else
        total.level[0] += squared_error_of_words(x, y, run.count);
}

template <class Real>
static void add_float_errors(const sample_run &run, double scale, squared_error_total &total)
{
    const Real *x = static_cast<const Real *>(run.reference);
    const Real *y = static_cast<const Real *>(run.candidate);
    if (run.weights != nullptr)
        squared_error_of_floats<true>(x, y, run.weights, run.count, scale, total);
    else
        squared_error_of_floats<false>(x, y, run.weights, run.count, scale, total);
}

// The 16-bit floating-point types come widened, as float32.
static void squared_error(const sample_run &run, double scale, squared_error_total &total)
{
    with_gathered_type(run.type, [&]<class Sample>(Sample) {
        if constexpr (integer_sample<Sample>)
            add_integer_errors<Sample>(run, total);
        else
            add_float_errors<Sample>(run, scale, total);
    });
}

} // namespace iqa::IQA_INSTRUCTION_SET

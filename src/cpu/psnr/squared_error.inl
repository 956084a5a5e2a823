// SPDX-License-Identifier: MIT
// Sums over runs of pairs of samples: squared errors, and the other terms of arith/squared_error.h.
#pragma once

#include "arith/element_type.h"
#include "arith/portable.h"
#include "arith/squared_error.h"
#include "arith/weight.h"
#include "cpu/isa/instruction_set.h"
#include "cpu/psnr/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

// The term of integers, which fits 32 bits, as does the square of 65535. Only the reference itself may be negative.
template <error_term term>
static auto term_of(int32_t x, int32_t y)
{
    if constexpr (term == error_term::reference) {
        return x;
    } else {
        const uint32_t base = is_of_reference(term) ? uint32_t(x) : uint32_t(x > y ? x - y : y - x);
        return is_square(term) ? base * base : base;
    }
}

// Terms of bytes: the sum of 2^15 terms fits 32 bits.
template <error_term term>
static int64_t sum_of_bytes(const uint8_t *reference, const uint8_t *candidate, int64_t count)
{
    int64_t total = 0;
    for (int64_t from = 0; from < count;) {
        const int64_t to = count - from > 32768 ? from + 32768 : count;
        int32_t part = 0;
        for (; from < to; ++from) {
            const int16_t base = int16_t(is_of_reference(term) ? reference[from] : reference[from] - candidate[from]);
            part += is_square(term)                 ? int32_t(base) * int32_t(base)
                    : term == error_term::magnitude ? int32_t(base < 0 ? -base : base)
                                                    : int32_t(base);
        }
        total += part;
    }
    return total;
}

// Asks for a part of a stream some pages ahead, where the processor does not look by itself.
[[maybe_unused]] static void prefetch(const void *samples)
{
    constexpr uintptr_t ahead = 10240;
    __builtin_prefetch(reinterpret_cast<const void *>(uintptr_t(samples) + ahead));
}

// Adds squares of differences below 2^15. Returns how many samples it added: none if others are among them.
template <class Sample>
static int64_t sum_of_near_words(const Sample *reference, const Sample *candidate, int64_t count, int128 &total)
{
    constexpr int line = sum_of_near_squares::width == 1 ? 1 : 32; // samples of 64 bytes
    const int64_t whole = count / line * line;
    sum_of_near_squares squares;
    for (int64_t from = 0; from < whole; from += line) {
        if constexpr (line > 1) {
            prefetch(reference + from);
            prefetch(candidate + from);
        }
        IQA_UNROLL_MUCH
        for (int64_t i = from; i < from + line; i += sum_of_near_squares::width)
            squares.add(reference + i, candidate + i);
    }
    if (!squares.holds())
        return 0;
    total += squares.total();
    return whole;
}

template <error_term term, class Sample>
static int128 sum_of_words(const Sample *reference, const Sample *candidate, int64_t count)
{
    int128 total = 0;
    int64_t from = 0;
    if constexpr (term == error_term::square)
        from = sum_of_near_words(reference, candidate, count, total);
    while (from < count) {
        const int64_t to = count - from > 1 << 24 ? from + (1 << 24) : count;
        int64_t part = 0;
        for (; from < to; ++from)
            part += int64_t(term_of<term>(reference[from], candidate[from]));
        total += part;
    }
    return total;
}

// The term of a scaled difference, or of a scaled sample of the reference.
template <error_term term>
static lanes_double value_of_term(lanes_double base)
{
    return is_square(term) ? base * base : term == error_term::magnitude ? magnitude(base) : base;
}

// Splits terms over the grids of arith/squared_error.h and adds their integers.
struct grid_sums {
    lanes_double gain;
    lanes_double least;
    lanes_double most;
    lanes_double largest = lanes_double::broadcast(0.0);
    lanes_double poison = lanes_double::broadcast(0.0); // NaN once a difference was not finite
    int64_t additions = 0;
    integer_sum limb[error_limbs] = {};

    template <error_term term>
    lanes_double term_of(lanes_double x, lanes_double y)
    {
        const lanes_double difference = (x - y) * gain;
        least = smaller(x, smaller(y, least));
        most = larger(x, larger(y, most));
        poison = poison + (difference - difference);
        const lanes_double base = is_of_reference(term) ? x * gain : difference;
        largest = larger(magnitude(base), largest);
        return value_of_term<term>(base);
    }

    void add(lanes_double rest)
    {
        IQA_UNROLL
        for (int i = 0; i < error_limbs; ++i) {
            const lanes_double anchor = lanes_double::broadcast(error_anchor(i));
            const lanes_double anchored = rest + anchor;
            limb[i].add_bits(anchored);
            rest = rest - (anchored - anchor);
        }
        ++additions;
    }

    void add_to(pair_total &total) const
    {
        for (int i = 0; i < error_limbs; ++i)
            total.limb[i] += limb[i].total(additions, error_anchor(i));
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

// What the bits of float32 samples tell of their magnitudes.
struct magnitude_bounds {
    lanes_bits signs = lanes_bits::broadcast(0);
    lanes_bits most = lanes_bits::broadcast(0);           // twice the bits of the largest; NaN lies beyond infinity
    lanes_bits least = lanes_bits::broadcast(UINT32_MAX); // twice the bits of the smallest but 0, less 1

    void add(const float *samples)
    {
        const lanes_bits bits = lanes_bits::load(samples);
        const lanes_bits twice = bits + bits;
        signs = signs | bits;
        most = larger(twice, most);
        least = smaller(twice + lanes_bits::broadcast(UINT32_MAX), least);
    }

    uint32_t largest() const
    {
        return reduced(most, [](uint32_t a, uint32_t b) { return a > b ? a : b; }) / 2;
    }
    uint32_t smallest() const
    {
        return reduced(least, [](uint32_t a, uint32_t b) { return a < b ? a : b; }) / 2 + 1;
    }
    bool any_negative() const
    {
        return reduced(signs, [](uint32_t a, uint32_t b) { return a | b; }) >> 31 != 0;
    }

private:
    template <class Operation>
    static uint32_t reduced(lanes_bits lanes, Operation &&operation)
    {
        uint32_t each[lanes_bits::width];
        lanes.store(each);
        for (int half = lanes_bits::width / 2; half > 0; half /= 2)
            for (int i = 0; i < half; ++i)
                each[i] = operation(each[i], each[i + half]);
        return each[0];
    }
};

// Adds terms of float32 samples whose scaled magnitudes are 0 or in [2^-17, 2^8), as those of most images are. They are
// multiples of 2^-40, so that the terms need no gain and no third grid, and the sums bound the largest term. Returns
// how many samples it added: none if a sample, or all differences, lie elsewhere.
template <error_term term>
static int64_t sum_of_usual_floats(const float *reference, const float *candidate, int64_t count, double gain,
                                   pair_total &total)
{
    constexpr int line = lanes_bits::width == 1 ? 1 : 16; // samples of 64 bytes; the vectoriser takes single ones
    if (gain < 0x1p-200 || gain > 0x1p200)
        return 0;
    const double inverse = 1.0 / gain;
    const double unit = is_square(term) ? inverse * inverse : inverse;
    const double anchors[2] = {error_anchor(0) * unit, error_anchor(1) * unit};
    const lanes_double first = lanes_double::broadcast(anchors[0]);
    const lanes_double second = lanes_double::broadcast(anchors[1]);
    const int64_t whole = count / line * line;
    magnitude_bounds bounds;
    integer_sum sums[2] = {};
    for (int64_t from = 0; from < whole; from += line) {
        if constexpr (line > 1) {
            prefetch(reference + from);
            prefetch(candidate + from);
        }
        IQA_UNROLL_MUCH
        for (int64_t i = from; i < from + line; i += lanes_bits::width) {
            bounds.add(reference + i);
            bounds.add(candidate + i);
        }
        IQA_UNROLL_MUCH
        for (int64_t i = from; i < from + line; i += lanes_double::width) {
            const lanes_double x = load_as_double(reference + i);
            const lanes_double base = is_of_reference(term) ? x : x - load_as_double(candidate + i);
            const lanes_double each = value_of_term<term>(base);
            const lanes_double anchored = each + first;
            sums[0].add_bits(anchored);
            sums[1].add_bits(each - (anchored - first) + second);
        }
    }
    const uint32_t most = bounds.largest();
    if (most >= bits_of(float(0x1p8 * inverse)) || bounds.smallest() < bits_of(float(0x1p-17 * inverse)))
        return 0;
    const int64_t additions = whole / lanes_double::width;
    const int128 high = sums[0].total(additions, anchors[0]);
    const int128 low = sums[1].total(additions, anchors[1]);
    const double bound = double(float_from_bits(most));
    double largest = 0.0;
    if (is_of_reference(term)) {
        largest = bound * gain;
    } else if (high != 0 || low != 0) {
        largest = error_smallest;
        const double sum = double(int64_t(high)) * power_of_two(error_exponent(0)) +
                           double(int64_t(low)) * power_of_two(error_exponent(1));
        if (sum < double(whole) * (is_square(term) ? largest * largest : largest))
            return 0; // the largest difference may be smaller
    }
    total.largest = largest > total.largest ? largest : total.largest;
    total.limb[0] += high;
    total.limb[1] += low;
    const double least = bounds.any_negative() ? -bound : 0.0;
    total.least_sample = least < total.least_sample ? least : total.least_sample;
    total.most_sample = bound > total.most_sample ? bound : total.most_sample;
    return whole;
}

template <error_term term, bool weighted, class Real>
static void sum_of_floats(const Real *reference, const Real *candidate, const float *weights, int64_t count,
                          double gain, pair_total &total)
{
    constexpr int width = lanes_double::width;
    constexpr int64_t block = int64_t(error_flush) * width;
    for (int64_t from = 0; from < count;) {
        const int64_t to = count - from > block ? from + block : count;
        if constexpr (!weighted && sizeof(Real) == sizeof(float))
            from += sum_of_usual_floats<term>(reference + from, candidate + from, to - from, gain, total);
        if (from == to)
            continue;
        grid_sums sums = {.gain = lanes_double::broadcast(gain),
                          .least = lanes_double::broadcast(total.least_sample),
                          .most = lanes_double::broadcast(total.most_sample)};
        int64_t i = from;
        for (; i + width <= to; i += width) {
            const lanes_double each = sums.term_of<term>(load_as_double(reference + i), load_as_double(candidate + i));
            sums.add(weighted ? each * load_as_double(weights + i) : each);
        }
        if (i < to) {
            // Repeating a sample with weight 0 changes no bound and no sum.
            Real x[width];
            Real y[width];
            float w[width];
            for (int64_t k = 0; k < width; ++k) {
                x[k] = reference[i + k < to ? i + k : to - 1];
                y[k] = i + k < to ? candidate[i + k] : x[k];
                w[k] = i + k >= to ? 0.0f : weighted ? weights[i + k] : 1.0f;
            }
            sums.add(sums.term_of<term>(load_as_double(x), load_as_double(y)) * load_as_double(w));
        }
        sums.add_to(total);
        from = to;
    }
}

// In units of 2^-pixel_weight_bits.
template <error_term term, class Sample>
static int128 weighted_sum_of_integers(const Sample *reference, const Sample *candidate, const float *weights,
                                       int64_t count)
{
    constexpr int64_t block = 128; // the sum of 128 products of at most 2^24 * 65535^2 fits 63 bits
    int128 total = 0;
    for (int64_t from = 0; from < count;) {
        const int64_t to = count - from > block ? from + block : count;
        int64_t part = 0;
        for (; from < to; ++from)
            part += int64_t(term_of<term>(reference[from], candidate[from])) * units_of_weight(weights[from]);
        total += part;
    }
    return total;
}

template <class Sample>
static void extend(sample_extremes &extremes, const Sample *samples, int64_t count)
{
    int32_t least = samples[0];
    int32_t most = samples[0];
    for (int64_t i = 1; i < count; ++i) {
        const int32_t value = samples[i];
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    extremes.least = least < extremes.least ? least : extremes.least;
    extremes.most = most > extremes.most ? most : extremes.most;
}

template <class Real>
static void extend_by_floats(sample_extremes &extremes, const Real *samples, int64_t count)
{
    constexpr int width = lanes_double::width;
    constexpr int chains = 4; // of comparisons that wait for each other
    lanes_double least[chains];
    lanes_double most[chains];
    for (int k = 0; k < chains; ++k) {
        least[k] = lanes_double::broadcast(extremes.least);
        most[k] = lanes_double::broadcast(extremes.most);
    }
    int64_t i = 0;
    for (; i + chains * width <= count; i += chains * width) {
        IQA_UNROLL
        for (int k = 0; k < chains; ++k) {
            const lanes_double value = load_as_double(samples + i + k * width);
            least[k] = smaller(value, least[k]);
            most[k] = larger(value, most[k]);
        }
    }
    for (int k = 1; k < chains; ++k) {
        least[0] = smaller(least[k], least[0]);
        most[0] = larger(most[k], most[0]);
    }
    double each[2][width];
    least[0].store(each[0]);
    most[0].store(each[1]);
    for (int k = 0; k < width; ++k) {
        extremes.least = each[0][k] < extremes.least ? each[0][k] : extremes.least;
        extremes.most = each[1][k] > extremes.most ? each[1][k] : extremes.most;
    }
    for (; i < count; ++i) {
        extremes.least = double(samples[i]) < extremes.least ? double(samples[i]) : extremes.least;
        extremes.most = double(samples[i]) > extremes.most ? double(samples[i]) : extremes.most;
    }
}

template <error_term term, class Sample>
static void add_integers(const sample_run &run, pair_total &total)
{
    const Sample *x = static_cast<const Sample *>(run.reference);
    const Sample *y = static_cast<const Sample *>(run.candidate);
    if (run.weights != nullptr)
        total.limb[1] += weighted_sum_of_integers<term>(x, y, run.weights, run.count);
    else if constexpr (sizeof(Sample) == 1)
        total.limb[0] += sum_of_bytes<term>(x, y, run.count);
    else
        total.limb[0] += sum_of_words<term>(x, y, run.count);
    if (term == error_term::reference && run.count != 0)
        extend(total.reference, x, run.count);
}

template <error_term term, class Real>
static void add_floats(const sample_run &run, double gain, pair_total &total)
{
    const Real *x = static_cast<const Real *>(run.reference);
    const Real *y = static_cast<const Real *>(run.candidate);
    if (run.weights != nullptr)
        sum_of_floats<term, true>(x, y, run.weights, run.count, gain, total);
    else
        sum_of_floats<term, false>(x, y, run.weights, run.count, gain, total);
    if (term == error_term::reference)
        extend_by_floats(total.reference, x, run.count);
}

// Apart, so that the frames of all terms and types are not one.
template <error_term term>
[[gnu::noinline]] static void sum_term(const sample_run &run, double gain, pair_total &total)
{
    with_gathered_type(run.type, [&]<class Sample>(Sample) {
        if constexpr (integer_sample<Sample>)
            add_integers<term, Sample>(run, total);
        else
            add_floats<term, Sample>(run, gain, total);
    });
}

// Samples of the 16-bit floating-point types are float32 already.
static void sums_of_pairs(error_term term, const sample_run &run, double gain, pair_total &total)
{
    switch (term) {
    case error_term::square:
        return sum_term<error_term::square>(run, gain, total);
    case error_term::magnitude:
        return sum_term<error_term::magnitude>(run, gain, total);
    case error_term::reference_square:
        return sum_term<error_term::reference_square>(run, gain, total);
    case error_term::reference:
        return sum_term<error_term::reference>(run, gain, total);
    }
}

} // namespace iqa::IQA_INSTRUCTION_SET

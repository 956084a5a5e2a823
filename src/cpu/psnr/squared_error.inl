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

// Terms of bytes: the sum of 2^16 terms fits 32 bits.
constexpr int64_t bytes_of_a_sum = 1 << 16;

template <error_term term>
static int64_t sum_of_few_bytes(const uint8_t *reference, const uint8_t *candidate, int64_t count)
{
    uint32_t sum = 0;
    int64_t i = 0;
    if constexpr (term == error_term::square) {
        constexpr int width = sum_of_byte_squares::width;
        sum_of_byte_squares squares;
        for (; i + width <= count; i += width)
            squares.add(reference + i, candidate + i);
        sum = squares.total();
    }
    for (; i < count; ++i) {
        const int32_t base = is_of_reference(term) ? reference[i] : reference[i] - candidate[i];
        sum += uint32_t(is_square(term) ? base * base : base < 0 ? -base : base);
    }
    return sum;
}

template <error_term term>
static int64_t sum_of_byte_terms(const uint8_t *reference, const uint8_t *candidate, int64_t count)
{
    int64_t total = 0;
    for (int64_t i = 0; i < count; i += bytes_of_a_sum)
        total += sum_of_few_bytes<term>(reference + i, candidate + i,
                                        count - i > bytes_of_a_sum ? bytes_of_a_sum : count - i);
    return total;
}

// Adds squares of differences below 2^15. Returns how many samples it added: none if others are among them.
template <class Sample>
static int64_t sum_of_near_words(const Sample *reference, const Sample *candidate, int64_t count, int128 &total)
{
    constexpr int line = sum_of_near_squares::width == 1 ? 1 : 32; // samples of 64 bytes
    const int64_t whole = count / line * line;
    sum_of_near_squares squares;
    for (int64_t from = 0; from < whole; from += line) {
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

// What the bits of float32 samples tell of their magnitudes. Unless `with_signs`, those of a negative one are 2^31 or
// more.
template <bool with_signs>
struct magnitude_bounds {
    lanes_bits most = lanes_bits::broadcast(0);           // NaN lies beyond infinity
    lanes_bits least = lanes_bits::broadcast(UINT32_MAX); // of all but 0, less 1

    void add(const float *samples)
    {
        const lanes_bits bits = lanes_bits::load(samples);
        const lanes_bits magnitude = with_signs ? bits + bits : bits;
        most = larger(magnitude, most);
        least = smaller(magnitude + lanes_bits::broadcast(UINT32_MAX), least);
    }

    uint32_t largest() const
    {
        return reduced(most, [](uint32_t a, uint32_t b) { return a > b ? a : b; }) / (with_signs ? 2 : 1);
    }
    uint32_t smallest() const
    {
        return reduced(least, [](uint32_t a, uint32_t b) { return a < b ? a : b; }) / (with_signs ? 2 : 1) + 1;
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

// An exact sum of terms of float32 samples whose scaled magnitudes are 0 or in [2^(e - 19), 2^e). They are multiples of
// 2^(e - 42), their differences lie below 2^(e + 1), and a lane has at most 2^10 terms. Magnitudes are then added to at
// most 2^53 units. Squares are added to an anchor of 2^(2 e + 12), which rounds to multiples of 2^(2 e - 40); the
// rests, at most half of that and multiples of 2^(2 e - 84), are added beside it, again to at most 2^53 units.
struct usual_sums {
    static constexpr int usual_exponent = 2; // the usual gain brings the range below 2
    static constexpr int large_exponent = 8; // bytes as floating-point numbers, where no range is known
    // Of additions that wait for each other; the compiler makes vectors of four single ones.
    static constexpr int chains = lanes_double::width == 1 ? 4 : 2;
    static constexpr int step = chains * lanes_double::width; // samples that are added at once
    static constexpr int64_t most_terms = int64_t(1024) * step;
    static_assert(step % lanes_bits::width == 0);

    lanes_double sums[chains];
    lanes_double rests[chains];
    uint32_t largest, smallest; // the bits of magnitudes

    static double anchor(int exponent) { return power_of_two(2 * exponent + 12); }
    static double limit(int exponent) { return power_of_two(exponent); }
    static double least(int exponent) { return power_of_two(exponent - 19); }

    template <error_term term, bool with_signs>
    void add(const float *reference, const float *candidate, int64_t count, double start)
    {
        magnitude_bounds<with_signs> bounds;
        lanes_double sum[chains]; // in registers, which members would leave in every step
        lanes_double rest[chains];
        for (int k = 0; k < chains; ++k) {
            sum[k] = lanes_double::broadcast(start);
            rest[k] = lanes_double::broadcast(0.0);
        }
        for (int64_t from = 0; from < count; from += step) {
            IQA_UNROLL_MUCH
            for (int64_t i = from; i < from + step; i += lanes_bits::width) {
                bounds.add(reference + i);
                bounds.add(candidate + i);
            }
            IQA_UNROLL
            for (int k = 0; k < chains; ++k) {
                const int64_t i = from + k * lanes_double::width;
                const lanes_double x = load_as_double(reference + i);
                const lanes_double base = is_of_reference(term) ? x : x - load_as_double(candidate + i);
                const lanes_double each = value_of_term<term>(base);
                const lanes_double before = sum[k];
                sum[k] = before + each;
                if constexpr (is_square(term))
                    rest[k] = rest[k] + (each - (sum[k] - before));
            }
        }
        for (int k = 0; k < chains; ++k) {
            sums[k] = sum[k];
            rests[k] = rest[k];
        }
        largest = bounds.largest();
        smallest = bounds.smallest();
    }

    // The sum in units of the first two grids: of 2^14 squares below 2^18, or magnitudes, it fits.
    void split(double start, double unit, int64_t *limbs) const
    {
        for (int k = 0; k < chains; ++k) {
            split(sums[k] - lanes_double::broadcast(start), unit, limbs);
            split(rests[k], unit, limbs);
        }
    }

private:
    static void split(lanes_double lanes, double unit, int64_t *limbs)
    {
        double each[lanes_double::width];
        lanes.store(each);
        for (const double value : each) {
            const double first = value * unit * power_of_two(-error_exponent(0));
            const auto whole = int64_t(first);
            limbs[0] += whole;
            limbs[1] += int64_t((first - double(whole)) * power_of_two(error_exponent(0) - error_exponent(1)));
        }
    }
};

// Adds terms of float32 samples of the magnitudes that most images have: their terms need no gain and no third grid,
// and the sums bound the largest term. What the samples before were like decides what is tried first. Returns how many
// samples it added: none if a sample, or all differences, lie elsewhere.
template <error_term term>
static int64_t sum_of_usual_floats(const float *reference, const float *candidate, int64_t count, double gain,
                                   pair_total &total)
{
    if (gain < 0x1p-200 || gain > 0x1p200)
        return 0;
    const int64_t whole = count / usual_sums::step * usual_sums::step;
    const double inverse = 1.0 / gain;
    const double unit = is_square(term) ? gain * gain : gain;
    const auto bits_at = [&](double scaled) {
        return bits_of(float(scaled * inverse));
    };
    bool negative = total.least_sample < 0.0;
    int exponent = total.most_sample * gain < usual_sums::limit(usual_sums::usual_exponent)
                       ? usual_sums::usual_exponent
                       : usual_sums::large_exponent;
    usual_sums sums;
    double start;
    for (;;) {
        start = is_square(term) ? usual_sums::anchor(exponent) / unit : 0.0;
        if (negative)
            sums.add<term, true>(reference, candidate, whole, start);
        else
            sums.add<term, false>(reference, candidate, whole, start);
        if (!negative && sums.largest >> 31 != 0)
            negative = true;
        else if (exponent == usual_sums::usual_exponent && sums.largest >= bits_at(usual_sums::limit(exponent)))
            exponent = usual_sums::large_exponent;
        else
            break;
    }
    if (sums.largest >= bits_at(usual_sums::limit(exponent)) || sums.smallest < bits_at(usual_sums::least(exponent)))
        return 0;
    int64_t limbs[2] = {};
    sums.split(start, unit, limbs);
    const double bound = double(float_from_bits(sums.largest));
    double largest = 0.0;
    if (is_of_reference(term)) {
        largest = bound * gain;
    } else if (limbs[0] != 0 || limbs[1] != 0) {
        largest = error_smallest;
        const double sum =
            double(limbs[0]) * power_of_two(error_exponent(0)) + double(limbs[1]) * power_of_two(error_exponent(1));
        if (sum < double(whole) * (is_square(term) ? largest * largest : largest))
            return 0; // the largest difference may be smaller
    }
    total.largest = largest > total.largest ? largest : total.largest;
    total.limb[0] += limbs[0];
    total.limb[1] += limbs[1];
    const double least = negative ? -bound : 0.0;
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
    static_assert(block <= usual_sums::most_terms);
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
    constexpr int64_t block = 128;                // the sum of 128 products of at most 2^24 * 65535^2 fits 63 bits
    using number = decltype(term_of<term>(0, 0)); // of both factors, so that vectors multiply them as 32 bits
    int128 total = 0;
    for (int64_t from = 0; from < count;) {
        const int64_t to = count - from > block ? from + block : count;
        int64_t part = 0;
        for (; from < to; ++from)
            part += int64_t(term_of<term>(reference[from], candidate[from])) *
                    int64_t(number(units_of_weight(weights[from])));
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
        total.limb[0] += sum_of_byte_terms<term>(x, y, run.count);
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

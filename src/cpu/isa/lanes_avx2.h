// SPDX-License-Identifier: MIT
// The lane types of AVX2 and FMA. Each operation does lane by lane what lanes_baseline.h does.
#pragma once

#include <immintrin.h>

#include "arith/comparison.h"
#include "arith/portable.h"
#include "arith/ssim.h"
#include "arith/ssim_doubt.h"

namespace iqa::avx2 {

// All bits set in the first `count` lanes.
inline __m256i first_lanes_of_8(int count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline __m256i first_lanes_of_4(int count)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}

inline int128 sum_of_4(__m256i lanes)
{
    int64_t parts[4];
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(parts), lanes);
    return int128(parts[0]) + parts[1] + parts[2] + parts[3];
}

struct lanes_float {
    static constexpr int width = 8;
    static constexpr int rows_at_once = 2;
    static constexpr bool filters_ahead = false;
    using real = float;

    __m256 value;

    static lanes_float broadcast(float v) { return {_mm256_set1_ps(v)}; }
    static lanes_float broadcast_here(const float &v)
    {
        lanes_float all;
        asm volatile("vbroadcastss %1, %0" : "=x"(all.value) : "m"(v));
        return all;
    }
    static lanes_float load(const float *from) { return {_mm256_loadu_ps(from)}; }
    static lanes_float load(const uint8_t *from)
    {
        return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(from))))};
    }
    static lanes_float load(const uint16_t *from)
    {
        return {_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from))))};
    }
    static lanes_float load(const int16_t *from)
    {
        return {_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from))))};
    }
    template <int offset>
    static lanes_float load_beyond(const float *map)
    {
        return load(map + offset);
    }
    void store(float *to) const { _mm256_storeu_ps(to, value); }

    friend lanes_float operator+(lanes_float a, lanes_float b) { return {_mm256_add_ps(a.value, b.value)}; }
    friend lanes_float operator-(lanes_float a, lanes_float b) { return {_mm256_sub_ps(a.value, b.value)}; }
    friend lanes_float operator*(lanes_float a, lanes_float b) { return {_mm256_mul_ps(a.value, b.value)}; }
    friend lanes_float operator/(lanes_float a, lanes_float b) { return {_mm256_div_ps(a.value, b.value)}; }
    friend lanes_float fused_multiply_add(lanes_float a, lanes_float b, lanes_float c)
    {
        return {_mm256_fmadd_ps(a.value, b.value, c.value)};
    }
    friend lanes_float fused_negative_multiply_add(lanes_float a, lanes_float b, lanes_float c)
    {
        return {_mm256_fnmadd_ps(a.value, b.value, c.value)};
    }
    // maxps returns its second operand if either is NaN.
    friend lanes_float clamp_to_zero(lanes_float a) { return {_mm256_max_ps(_mm256_setzero_ps(), a.value)}; }
    friend lanes_float ratio_or_one(lanes_float a, lanes_float b)
    {
        const __m256 zero = _mm256_cmp_ps(b.value, _mm256_setzero_ps(), _CMP_EQ_OQ);
        return {_mm256_blendv_ps(_mm256_div_ps(a.value, b.value), _mm256_set1_ps(1.0f), zero)};
    }
    friend lanes_float inverse_or_zero(lanes_float a)
    {
        const __m256 zero = _mm256_cmp_ps(a.value, _mm256_setzero_ps(), _CMP_EQ_OQ);
        return {_mm256_andnot_ps(zero, _mm256_div_ps(_mm256_set1_ps(1.0f), a.value))};
    }
};

struct lanes_double {
    static constexpr int width = 4;
    static constexpr int rows_at_once = 2;
    static constexpr bool filters_ahead = false;
    using real = double;

    __m256d value;

    static lanes_double broadcast(double v) { return {_mm256_set1_pd(v)}; }
    static lanes_double broadcast_here(const double &v)
    {
        lanes_double all;
        asm volatile("vbroadcastsd %1, %0" : "=x"(all.value) : "m"(v));
        return all;
    }
    static lanes_double load(const double *from) { return {_mm256_loadu_pd(from)}; }
    template <int offset>
    static lanes_double load_beyond(const double *map)
    {
        return load(map + offset);
    }
    void store(double *to) const { _mm256_storeu_pd(to, value); }

    friend lanes_double operator+(lanes_double a, lanes_double b) { return {_mm256_add_pd(a.value, b.value)}; }
    friend lanes_double operator-(lanes_double a, lanes_double b) { return {_mm256_sub_pd(a.value, b.value)}; }
    friend lanes_double operator*(lanes_double a, lanes_double b) { return {_mm256_mul_pd(a.value, b.value)}; }
    friend lanes_double operator/(lanes_double a, lanes_double b) { return {_mm256_div_pd(a.value, b.value)}; }
    friend lanes_double fused_multiply_add(lanes_double a, lanes_double b, lanes_double c)
    {
        return {_mm256_fmadd_pd(a.value, b.value, c.value)};
    }
    friend lanes_double fused_negative_multiply_add(lanes_double a, lanes_double b, lanes_double c)
    {
        return {_mm256_fnmadd_pd(a.value, b.value, c.value)};
    }
    friend lanes_double clamp_to_zero(lanes_double a) { return {_mm256_max_pd(_mm256_setzero_pd(), a.value)}; }
    friend lanes_double ratio_or_one(lanes_double a, lanes_double b)
    {
        const __m256d zero = _mm256_cmp_pd(b.value, _mm256_setzero_pd(), _CMP_EQ_OQ);
        return {_mm256_blendv_pd(_mm256_div_pd(a.value, b.value), _mm256_set1_pd(1.0), zero)};
    }
    friend lanes_double inverse_or_zero(lanes_double a)
    {
        const __m256d zero = _mm256_cmp_pd(a.value, _mm256_setzero_pd(), _CMP_EQ_OQ);
        return {_mm256_andnot_pd(zero, _mm256_div_pd(_mm256_set1_pd(1.0), a.value))};
    }
};

template <class Real>
struct fixed_sum;

template <>
struct fixed_sum<float> {
    __m256i sum = _mm256_setzero_si256();
    __m256 nan = _mm256_setzero_ps();

    void add(lanes_float v, int count)
    {
        __m256i fixed = _mm256_cvtps_epi32(_mm256_mul_ps(v.value, _mm256_set1_ps(0x1p30f)));
        __m256 unordered = _mm256_cmp_ps(v.value, v.value, _CMP_UNORD_Q);
        if (count < lanes_float::width) {
            const __m256i wanted = first_lanes_of_8(count);
            fixed = _mm256_and_si256(fixed, wanted);
            unordered = _mm256_and_ps(unordered, _mm256_castsi256_ps(wanted));
        }
        nan = _mm256_or_ps(nan, unordered);
        sum = _mm256_add_epi64(sum, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(fixed)));
        sum = _mm256_add_epi64(sum, _mm256_cvtepi32_epi64(_mm256_extracti128_si256(fixed, 1)));
    }
    int64_t total() const { return int64_t(sum_of_4(sum)); }
    bool any_nan() const { return _mm256_movemask_ps(nan) != 0; }
};

template <>
struct fixed_sum<double> {
    __m256i sum = _mm256_setzero_si256();
    __m256d nan = _mm256_setzero_pd();

    void add(lanes_double v, int count)
    {
        const __m256d anchor = _mm256_set1_pd(0x1.8p52);
        const __m256d anchored = _mm256_add_pd(_mm256_mul_pd(v.value, _mm256_set1_pd(0x1p50)), anchor);
        __m256i fixed = _mm256_sub_epi64(_mm256_castpd_si256(anchored), _mm256_castpd_si256(anchor));
        __m256d unordered = _mm256_cmp_pd(v.value, v.value, _CMP_UNORD_Q);
        if (count < lanes_double::width) {
            const __m256i wanted = first_lanes_of_4(count);
            fixed = _mm256_and_si256(fixed, wanted);
            unordered = _mm256_and_pd(unordered, _mm256_castsi256_pd(wanted));
        }
        nan = _mm256_or_pd(nan, unordered);
        sum = _mm256_add_epi64(sum, fixed);
    }
    int64_t total() const { return int64_t(sum_of_4(sum)); }
    bool any_nan() const { return _mm256_movemask_pd(nan) != 0; }
};

template <class Real>
struct weighted_sum;

template <>
struct weighted_sum<float> {
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    __m256i weights = _mm256_setzero_si256();
    __m256 nan = _mm256_setzero_ps();

    void add(lanes_float v, lanes_float weight)
    {
        const __m256i units = _mm256_cvtps_epi32(weight.value);
        const __m256 counted = _mm256_cmp_ps(weight.value, _mm256_setzero_ps(), _CMP_NEQ_UQ);
        nan = _mm256_or_ps(nan, _mm256_and_ps(counted, _mm256_cmp_ps(v.value, v.value, _CMP_UNORD_Q)));
        const __m256i fixed = _mm256_cvtps_epi32(_mm256_mul_ps(v.value, _mm256_set1_ps(0x1p30f)));
        const __m256i products_of_odd = _mm256_mul_epi32(_mm256_srli_epi64(fixed, 32), _mm256_srli_epi64(units, 32));
        even = _mm256_add_epi64(even, _mm256_mul_epi32(fixed, units));
        odd = _mm256_add_epi64(odd, products_of_odd);
        weights = _mm256_add_epi32(weights, units);
    }
    int128 total() const { return sum_of_4(even) + sum_of_4(odd); }
    int64_t weight() const
    {
        const __m256i lower = _mm256_and_si256(weights, _mm256_set1_epi64x(0xffffffff));
        return int64_t(sum_of_4(_mm256_add_epi64(lower, _mm256_srli_epi64(weights, 32))));
    }
    bool any_nan() const { return _mm256_movemask_ps(nan) != 0; }
};

template <>
struct weighted_sum<double> {
    // The values' upper bits and their lowest 25 are multiplied apart.
    __m256i upper = _mm256_setzero_si256();
    __m256i lower = _mm256_setzero_si256();
    __m256i weights = _mm256_setzero_si256();
    __m256d nan = _mm256_setzero_pd();

    void add(lanes_double v, lanes_double weight)
    {
        const __m256d counted = _mm256_cmp_pd(weight.value, _mm256_setzero_pd(), _CMP_NEQ_UQ);
        nan = _mm256_or_pd(nan, _mm256_and_pd(counted, _mm256_cmp_pd(v.value, v.value, _CMP_UNORD_Q)));
        const __m256d anchor = _mm256_set1_pd(0x1.8p52);
        const __m256d anchored = _mm256_add_pd(_mm256_mul_pd(v.value, _mm256_set1_pd(0x1p50)), anchor);
        const __m256i fixed = _mm256_sub_epi64(_mm256_castpd_si256(anchored), _mm256_castpd_si256(anchor));
        const __m256i units =
            _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(weight.value, anchor)), _mm256_castpd_si256(anchor));
        const __m256i low_bits = _mm256_and_si256(fixed, _mm256_set1_epi64x((1 << 25) - 1));
        upper = _mm256_add_epi64(upper, _mm256_mul_epi32(_mm256_srli_epi64(fixed, 25), units));
        lower = _mm256_add_epi64(lower, _mm256_mul_epi32(low_bits, units));
        weights = _mm256_add_epi64(weights, units);
    }
    int128 total() const { return int128(int64_t(sum_of_4(upper))) * (1 << 25) + int64_t(sum_of_4(lower)); }
    int64_t weight() const { return int64_t(sum_of_4(weights)); }
    bool any_nan() const { return _mm256_movemask_pd(nan) != 0; }
};

template <comparison relation>
inline lanes_float keep_if(lanes_float value, lanes_float a, lanes_float b)
{
    return {_mm256_and_ps(value.value, _mm256_cmp_ps(a.value, b.value, int(relation)))};
}

template <comparison relation>
inline lanes_double keep_if(lanes_double value, lanes_double a, lanes_double b)
{
    return {_mm256_and_pd(value.value, _mm256_cmp_pd(a.value, b.value, int(relation)))};
}

inline lanes_float magnitude(lanes_float a)
{
    return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.value)};
}
// maxps returns its second operand if either is NaN; so does minps.
inline lanes_float at_least(lanes_float value, lanes_float least)
{
    return {_mm256_max_ps(value.value, least.value)};
}
inline lanes_float first_lanes(lanes_float value, int count)
{
    return {_mm256_and_ps(value.value, _mm256_castsi256_ps(first_lanes_of_8(count)))};
}
inline lanes_double first_lanes(lanes_double value, int count)
{
    return {_mm256_and_pd(value.value, _mm256_castsi256_pd(first_lanes_of_4(count)))};
}
inline lanes_float nearest_integers(lanes_float value)
{
    return {_mm256_round_ps(value.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline lanes_double nearest_integers(lanes_double value)
{
    return {_mm256_round_pd(value.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

inline void add_doubt(lanes_float doubt, int32_t *sums)
{
    const __m256 limited = _mm256_min_ps(doubt.value, _mm256_set1_ps(float(most_doubt))); // NaN becomes the limit
    const __m256i units = _mm256_cvttps_epi32(limited);
    const __m256i kinds = _mm256_and_si256(_mm256_srli_epi32(_mm256_castps_si256(limited), doubt_kind_shift),
                                           _mm256_set1_epi32(doubt_kinds - 1));
    for (int kind = 0; kind < doubt_kinds; ++kind) {
        __m256i *const kind_sums = reinterpret_cast<__m256i *>(sums) + kind;
        const __m256i of_kind = _mm256_and_si256(units, _mm256_cmpeq_epi32(kinds, _mm256_set1_epi32(kind)));
        _mm256_storeu_si256(kind_sums, _mm256_add_epi32(_mm256_loadu_si256(kind_sums), of_kind));
    }
}

inline lanes_double load_as_double(const float *from)
{
    return {_mm256_cvtps_pd(_mm_loadu_ps(from))};
}
inline lanes_double load_as_double(const double *from)
{
    return lanes_double::load(from);
}
inline lanes_double magnitude(lanes_double a)
{
    return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.value)};
}
inline lanes_double smaller(lanes_double a, lanes_double b)
{
    return {_mm256_min_pd(a.value, b.value)};
}
inline lanes_double larger(lanes_double a, lanes_double b)
{
    return {_mm256_max_pd(a.value, b.value)};
}

// How far apart 16-bit numbers are; the last argument tells their type.
inline __m256i distance(__m256i a, __m256i b, uint16_t)
{
    return _mm256_or_si256(_mm256_subs_epu16(a, b), _mm256_subs_epu16(b, a));
}
inline __m256i distance(__m256i a, __m256i b, int16_t)
{
    return _mm256_sub_epi16(_mm256_max_epi16(a, b), _mm256_min_epi16(a, b));
}

struct sum_of_near_squares {
    static constexpr int width = 16;

    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    __m256i any = _mm256_setzero_si256();

    template <class Sample>
    void add(const Sample *x, const Sample *y)
    {
        const __m256i difference = distance(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(x)),
                                            _mm256_loadu_si256(reinterpret_cast<const __m256i *>(y)), Sample());
        any = _mm256_or_si256(any, difference);
        const __m256i pairs = _mm256_madd_epi16(difference, difference);
        even = _mm256_add_epi64(even, _mm256_and_si256(pairs, _mm256_set1_epi64x(0xffffffff)));
        odd = _mm256_add_epi64(odd, _mm256_srli_epi64(pairs, 32));
    }
    bool holds() const { return _mm256_testz_si256(any, _mm256_set1_epi16(INT16_MIN)) != 0; }
    int64_t total() const { return int64_t(sum_of_4(_mm256_add_epi64(even, odd))); }
};

struct sum_of_byte_squares {
    static constexpr int width = 64;

    __m256i sum[4] = {};

    void add(const uint8_t *x, const uint8_t *y)
    {
        IQA_UNROLL
        for (int i = 0; i < 2; ++i) {
            const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(x) + i);
            const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(y) + i);
            const __m256i difference = _mm256_sub_epi8(_mm256_max_epu8(a, b), _mm256_min_epu8(a, b));
            const __m256i low = _mm256_unpacklo_epi8(difference, _mm256_setzero_si256());
            const __m256i high = _mm256_unpackhi_epi8(difference, _mm256_setzero_si256());
            sum[2 * i] = _mm256_add_epi32(sum[2 * i], _mm256_madd_epi16(low, low));
            sum[2 * i + 1] = _mm256_add_epi32(sum[2 * i + 1], _mm256_madd_epi16(high, high));
        }
    }
    uint32_t total() const
    {
        uint32_t each[8];
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(each),
                            _mm256_add_epi32(_mm256_add_epi32(sum[0], sum[1]), _mm256_add_epi32(sum[2], sum[3])));
        uint32_t total = 0;
        for (const uint32_t one : each)
            total += one;
        return total;
    }
};

struct lanes_bits {
    static constexpr int width = 8;

    __m256i value;

    static lanes_bits broadcast(uint32_t v) { return {_mm256_set1_epi32(int(v))}; }
    static lanes_bits load(const float *from) { return {_mm256_castps_si256(_mm256_loadu_ps(from))}; }
    void store(uint32_t *to) const { _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), value); }

    friend lanes_bits operator+(lanes_bits a, lanes_bits b) { return {_mm256_add_epi32(a.value, b.value)}; }
    friend lanes_bits smaller(lanes_bits a, lanes_bits b) { return {_mm256_min_epu32(a.value, b.value)}; }
    friend lanes_bits larger(lanes_bits a, lanes_bits b) { return {_mm256_max_epu32(a.value, b.value)}; }
};

struct integer_sum {
    __m256i sum = _mm256_setzero_si256();

    void add_bits(lanes_double anchored) { sum = _mm256_add_epi64(sum, _mm256_castpd_si256(anchored.value)); }
    int128 total(int64_t additions, double anchor) const
    {
        uint64_t parts[4];
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(parts), sum);
        int128 result = 0;
        for (const uint64_t part : parts)
            result += int64_t(part - uint64_t(additions) * bits_of(anchor));
        return result;
    }
};

// Words of two rows of a matrix, 16 bytes of each.
template <class Word>
struct lanes_of_rows {
    static constexpr int words = 16 / int(sizeof(Word));
    static constexpr int parts = 2;

    __m256i value;

    // The rows lie `apart` words apart.
    static lanes_of_rows load(const Word *from, int64_t apart)
    {
        const auto row = [=](int part) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + part * apart));
        };
        return {_mm256_inserti128_si256(_mm256_castsi128_si256(row(0)), row(1), 1)};
    }
    void store(Word *to) const { _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), value); }

    // The words of a and b in turn, from the lower or the upper half of each part.
    friend lanes_of_rows lower_in_turn(lanes_of_rows a, lanes_of_rows b)
    {
        return {sizeof(Word) == 1   ? _mm256_unpacklo_epi8(a.value, b.value)
                : sizeof(Word) == 2 ? _mm256_unpacklo_epi16(a.value, b.value)
                : sizeof(Word) == 4 ? _mm256_unpacklo_epi32(a.value, b.value)
                                    : _mm256_unpacklo_epi64(a.value, b.value)};
    }
    friend lanes_of_rows upper_in_turn(lanes_of_rows a, lanes_of_rows b)
    {
        return {sizeof(Word) == 1   ? _mm256_unpackhi_epi8(a.value, b.value)
                : sizeof(Word) == 2 ? _mm256_unpackhi_epi16(a.value, b.value)
                : sizeof(Word) == 4 ? _mm256_unpackhi_epi32(a.value, b.value)
                                    : _mm256_unpackhi_epi64(a.value, b.value)};
    }
};

typedef int8_t lanes_bytes __attribute__((vector_size(32)));

inline uint64_t unequal(const uint8_t *a, const uint8_t *b)
{
    const auto load = [](const uint8_t *from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
    };
    const auto equal_32 = [=](int first) {
        return uint32_t(_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(a + first), load(b + first))));
    };
    return ~(equal_32(0) | uint64_t(equal_32(32)) << 32);
}
inline uint64_t unequal(const uint16_t *a, const uint16_t *b)
{
    const auto equal_16 = [=](int first) {
        return _mm256_cmpeq_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(a + first)),
                                  _mm256_loadu_si256(reinterpret_cast<const __m256i *>(b + first)));
    };
    const auto equal_32 = [=](int first) {
        const __m256i bytes = _mm256_packs_epi16(equal_16(first), equal_16(first + 16)); // of halves in turn
        return uint32_t(_mm256_movemask_epi8(_mm256_permute4x64_epi64(bytes, 0xd8)));
    };
    return ~(equal_32(0) | uint64_t(equal_32(32)) << 32);
}

} // namespace iqa::avx2

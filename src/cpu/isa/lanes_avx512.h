// SPDX-License-Identifier: MIT
// The lane types of AVX-512. Each operation does lane by lane what lanes_baseline.h does.
#pragma once

#include <immintrin.h>

#include "arith/comparison.h"
#include "arith/portable.h"
#include "arith/ssim.h"
#include "arith/ssim_doubt.h"

namespace iqa::avx512 {

struct lanes_float {
    static constexpr int width = 16;
    static constexpr int rows_at_once = 4;
    static constexpr bool filters_ahead = true;
    using real = float;

    __m512 value;

    static lanes_float broadcast(float v) { return {_mm512_set1_ps(v)}; }
    static lanes_float broadcast_here(const float &v) { return broadcast(v); }
    static lanes_float load(const float *from) { return {_mm512_loadu_ps(from)}; }
    static lanes_float load(const uint8_t *from)
    {
        return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from))))};
    }
    static lanes_float load(const uint16_t *from)
    {
        return {_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from))))};
    }
    static lanes_float load(const int16_t *from)
    {
        return {_mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from))))};
    }
    // The lanes from map + offset on. `map` is aligned. Half of the taps come as shifts of whole vectors, since every
    // other load would touch two cache lines.
    template <int offset>
    static lanes_float load_beyond(const float *map)
    {
        constexpr int shift = offset % width;
        if constexpr (shift == 0 || offset % 2 != 0) {
            return load(map + offset);
        } else {
            const __m512i low = _mm512_load_si512(map + offset - shift);
            const __m512i high = _mm512_load_si512(map + offset - shift + width);
            return {_mm512_castsi512_ps(_mm512_alignr_epi32(high, low, shift))};
        }
    }
    void store(float *to) const { _mm512_storeu_ps(to, value); }

    friend lanes_float operator+(lanes_float a, lanes_float b) { return {_mm512_add_ps(a.value, b.value)}; }
    friend lanes_float operator-(lanes_float a, lanes_float b) { return {_mm512_sub_ps(a.value, b.value)}; }
    friend lanes_float operator*(lanes_float a, lanes_float b) { return {_mm512_mul_ps(a.value, b.value)}; }
    friend lanes_float operator/(lanes_float a, lanes_float b) { return {_mm512_div_ps(a.value, b.value)}; }
    friend lanes_float fused_multiply_add(lanes_float a, lanes_float b, lanes_float c)
    {
        return {_mm512_fmadd_ps(a.value, b.value, c.value)};
    }
    friend lanes_float fused_negative_multiply_add(lanes_float a, lanes_float b, lanes_float c)
    {
        return {_mm512_fnmadd_ps(a.value, b.value, c.value)};
    }
    // maxps returns its second operand if either is NaN.
    friend lanes_float clamp_to_zero(lanes_float a) { return {_mm512_max_ps(_mm512_setzero_ps(), a.value)}; }
    friend lanes_float ratio_or_one(lanes_float a, lanes_float b)
    {
        const __mmask16 zero = _mm512_cmp_ps_mask(b.value, _mm512_setzero_ps(), _CMP_EQ_OQ);
        return {_mm512_mask_mov_ps(_mm512_div_ps(a.value, b.value), zero, _mm512_set1_ps(1.0f))};
    }
    friend lanes_float inverse_or_zero(lanes_float a)
    {
        const __mmask16 other = _mm512_cmp_ps_mask(a.value, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        return {_mm512_maskz_div_ps(other, _mm512_set1_ps(1.0f), a.value)};
    }
};

struct lanes_double {
    static constexpr int width = 8;
    static constexpr int rows_at_once = 4;
    static constexpr bool filters_ahead = true;
    using real = double;

    __m512d value;

    static lanes_double broadcast(double v) { return {_mm512_set1_pd(v)}; }
    static lanes_double broadcast_here(const double &v) { return broadcast(v); }
    static lanes_double load(const double *from) { return {_mm512_loadu_pd(from)}; }
    // The lanes from map + offset on. `map` is aligned. Half of the taps come as shifts of whole vectors, since every
    // other load would touch two cache lines.
    template <int offset>
    static lanes_double load_beyond(const double *map)
    {
        constexpr int shift = offset % width;
        if constexpr (shift == 0 || offset % 2 != 0) {
            return load(map + offset);
        } else {
            const __m512i low = _mm512_load_si512(map + offset - shift);
            const __m512i high = _mm512_load_si512(map + offset - shift + width);
            return {_mm512_castsi512_pd(_mm512_alignr_epi64(high, low, shift))};
        }
    }
    void store(double *to) const { _mm512_storeu_pd(to, value); }

    friend lanes_double operator+(lanes_double a, lanes_double b) { return {_mm512_add_pd(a.value, b.value)}; }
    friend lanes_double operator-(lanes_double a, lanes_double b) { return {_mm512_sub_pd(a.value, b.value)}; }
    friend lanes_double operator*(lanes_double a, lanes_double b) { return {_mm512_mul_pd(a.value, b.value)}; }
    friend lanes_double operator/(lanes_double a, lanes_double b) { return {_mm512_div_pd(a.value, b.value)}; }
    friend lanes_double fused_multiply_add(lanes_double a, lanes_double b, lanes_double c)
    {
        return {_mm512_fmadd_pd(a.value, b.value, c.value)};
    }
    friend lanes_double fused_negative_multiply_add(lanes_double a, lanes_double b, lanes_double c)
    {
        return {_mm512_fnmadd_pd(a.value, b.value, c.value)};
    }
    friend lanes_double clamp_to_zero(lanes_double a) { return {_mm512_max_pd(_mm512_setzero_pd(), a.value)}; }
    friend lanes_double ratio_or_one(lanes_double a, lanes_double b)
    {
        const __mmask8 zero = _mm512_cmp_pd_mask(b.value, _mm512_setzero_pd(), _CMP_EQ_OQ);
        return {_mm512_mask_mov_pd(_mm512_div_pd(a.value, b.value), zero, _mm512_set1_pd(1.0))};
    }
    friend lanes_double inverse_or_zero(lanes_double a)
    {
        const __mmask8 other = _mm512_cmp_pd_mask(a.value, _mm512_setzero_pd(), _CMP_NEQ_UQ);
        return {_mm512_maskz_div_pd(other, _mm512_set1_pd(1.0), a.value)};
    }
};

// Modulo 2^64, which the reduction intrinsic does not promise: NaN contributes arbitrary bits.
inline int64_t sum_of_8(__m512i lanes)
{
    uint64_t parts[8];
    _mm512_storeu_si512(parts, lanes);
    uint64_t sum = 0;
    for (const uint64_t part : parts)
        sum += part;
    return int64_t(sum);
}

template <class Real>
struct fixed_sum;

template <>
struct fixed_sum<float> {
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    __mmask16 nan = 0;

    void add(lanes_float v, int count)
    {
        const __mmask16 wanted = __mmask16(count >= 16 ? 0xffff : (1 << count) - 1);
        nan = _kor_mask16(nan, _mm512_mask_cmp_ps_mask(wanted, v.value, v.value, _CMP_UNORD_Q));
        const __m512i fixed = _mm512_maskz_cvtps_epi32(wanted, _mm512_mul_ps(v.value, _mm512_set1_ps(0x1p30f)));
        // Each 64-bit lane holds two values: the upper by a shift, the lower by a shift up and down.
        odd = _mm512_add_epi64(odd, _mm512_srai_epi64(fixed, 32));
        even = _mm512_add_epi64(even, _mm512_srai_epi64(_mm512_slli_epi64(fixed, 32), 32));
    }
    int64_t total() const { return sum_of_8(_mm512_add_epi64(even, odd)); }
    bool any_nan() const { return nan != 0; }
};

template <>
struct fixed_sum<double> {
    __m512i sum = _mm512_setzero_si512();
    __mmask8 nan = 0;

    void add(lanes_double v, int count)
    {
        const __mmask8 wanted = __mmask8(count >= 8 ? 0xff : (1 << count) - 1);
        nan = __mmask8(nan | _mm512_mask_cmp_pd_mask(wanted, v.value, v.value, _CMP_UNORD_Q));
        const __m512d anchor = _mm512_set1_pd(0x1.8p52);
        const __m512d anchored = _mm512_add_pd(_mm512_mul_pd(v.value, _mm512_set1_pd(0x1p50)), anchor);
        const __m512i fixed = _mm512_sub_epi64(_mm512_castpd_si512(anchored), _mm512_castpd_si512(anchor));
        sum = _mm512_mask_add_epi64(sum, wanted, sum, fixed);
    }
    int64_t total() const { return sum_of_8(sum); }
    bool any_nan() const { return nan != 0; }
};

template <class Real>
struct weighted_sum;

template <>
struct weighted_sum<float> {
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    __m512i weights = _mm512_setzero_si512();
    __mmask16 nan = 0;

    void add(lanes_float v, lanes_float weight)
    {
        const __m512i units = _mm512_cvtps_epi32(weight.value);
        const __mmask16 counted = _mm512_test_epi32_mask(units, units);
        nan = _kor_mask16(nan, _mm512_mask_cmp_ps_mask(counted, v.value, v.value, _CMP_UNORD_Q));
        const __m512i fixed = _mm512_cvtps_epi32(_mm512_mul_ps(v.value, _mm512_set1_ps(0x1p30f)));
        const __m512i products_of_odd = _mm512_mul_epi32(_mm512_srli_epi64(fixed, 32), _mm512_srli_epi64(units, 32));
        even = _mm512_add_epi64(even, _mm512_mul_epi32(fixed, units));
        odd = _mm512_add_epi64(odd, products_of_odd);
        weights = _mm512_add_epi32(weights, units);
    }
    int128 total() const { return int128(sum_of_8(even)) + sum_of_8(odd); }
    int64_t weight() const
    {
        const __m512i lower = _mm512_and_si512(weights, _mm512_set1_epi64(0xffffffff));
        return sum_of_8(_mm512_add_epi64(lower, _mm512_srli_epi64(weights, 32)));
    }
    bool any_nan() const { return nan != 0; }
};

template <>
struct weighted_sum<double> {
    // The values' upper bits and their lowest 25 are multiplied apart.
    __m512i upper = _mm512_setzero_si512();
    __m512i lower = _mm512_setzero_si512();
    __m512i weights = _mm512_setzero_si512();
    __mmask8 nan = 0;

    void add(lanes_double v, lanes_double weight)
    {
        const __mmask8 counted = _mm512_cmp_pd_mask(weight.value, _mm512_setzero_pd(), _CMP_NEQ_UQ);
        nan = __mmask8(nan | _mm512_mask_cmp_pd_mask(counted, v.value, v.value, _CMP_UNORD_Q));
        const __m512d anchor = _mm512_set1_pd(0x1.8p52);
        const __m512d anchored = _mm512_add_pd(_mm512_mul_pd(v.value, _mm512_set1_pd(0x1p50)), anchor);
        const __m512i fixed = _mm512_sub_epi64(_mm512_castpd_si512(anchored), _mm512_castpd_si512(anchor));
        const __m512i units =
            _mm512_sub_epi64(_mm512_castpd_si512(_mm512_add_pd(weight.value, anchor)), _mm512_castpd_si512(anchor));
        const __m512i low_bits = _mm512_and_si512(fixed, _mm512_set1_epi64((1 << 25) - 1));
        upper = _mm512_add_epi64(upper, _mm512_mul_epi32(_mm512_srli_epi64(fixed, 25), units));
        lower = _mm512_add_epi64(lower, _mm512_mul_epi32(low_bits, units));
        weights = _mm512_add_epi64(weights, units);
    }
    int128 total() const { return int128(sum_of_8(upper)) * (1 << 25) + sum_of_8(lower); }
    int64_t weight() const { return sum_of_8(weights); }
    bool any_nan() const { return nan != 0; }
};

template <comparison relation>
inline lanes_float keep_if(lanes_float value, lanes_float a, lanes_float b)
{
    return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.value, b.value, int(relation)), value.value)};
}

template <comparison relation>
inline lanes_double keep_if(lanes_double value, lanes_double a, lanes_double b)
{
    return {_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a.value, b.value, int(relation)), value.value)};
}

inline lanes_float magnitude(lanes_float a)
{
    return {_mm512_abs_ps(a.value)};
}
// maxps returns its second operand if either is NaN; so does minps.
inline lanes_float at_least(lanes_float value, lanes_float least)
{
    return {_mm512_max_ps(value.value, least.value)};
}
inline lanes_float first_lanes(lanes_float value, int count)
{
    return {_mm512_maskz_mov_ps(__mmask16(count >= 16 ? 0xffff : (1 << count) - 1), value.value)};
}
inline lanes_double first_lanes(lanes_double value, int count)
{
    return {_mm512_maskz_mov_pd(__mmask8(count >= 8 ? 0xff : (1 << count) - 1), value.value)};
}
inline lanes_float nearest_integers(lanes_float value)
{
    return {_mm512_roundscale_ps(value.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline lanes_double nearest_integers(lanes_double value)
{
    return {_mm512_roundscale_pd(value.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

inline void add_doubt(lanes_float doubt, int32_t *sums)
{
    const __m512 limited = _mm512_min_ps(doubt.value, _mm512_set1_ps(float(most_doubt))); // NaN becomes the limit
    const __m512i units = _mm512_cvttps_epi32(limited);
    const __m512i kinds = _mm512_and_si512(_mm512_srli_epi32(_mm512_castps_si512(limited), doubt_kind_shift),
                                           _mm512_set1_epi32(doubt_kinds - 1));
    for (int kind = 0; kind < doubt_kinds; ++kind) {
        int32_t *const kind_sums = sums + kind * lanes_float::width;
        const __m512i before = _mm512_loadu_si512(kind_sums);
        const __mmask16 of_kind = _mm512_cmpeq_epi32_mask(kinds, _mm512_set1_epi32(kind));
        _mm512_storeu_si512(kind_sums, _mm512_mask_add_epi32(before, of_kind, before, units));
    }
}

inline lanes_double load_as_double(const float *from)
{
    return {_mm512_cvtps_pd(_mm256_loadu_ps(from))};
}
inline lanes_double load_as_double(const double *from)
{
    return lanes_double::load(from);
}
inline lanes_double magnitude(lanes_double a)
{
    return {_mm512_abs_pd(a.value)};
}
inline lanes_double smaller(lanes_double a, lanes_double b)
{
    return {_mm512_min_pd(a.value, b.value)};
}
inline lanes_double larger(lanes_double a, lanes_double b)
{
    return {_mm512_max_pd(a.value, b.value)};
}

// How far apart 16-bit numbers are; the last argument tells their type.
inline __m512i distance(__m512i a, __m512i b, uint16_t)
{
    return _mm512_or_si512(_mm512_subs_epu16(a, b), _mm512_subs_epu16(b, a));
}
inline __m512i distance(__m512i a, __m512i b, int16_t)
{
    return _mm512_sub_epi16(_mm512_max_epi16(a, b), _mm512_min_epi16(a, b));
}

struct sum_of_near_squares {
    static constexpr int width = 32;

    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    __m512i any = _mm512_setzero_si512();

    template <class Sample>
    void add(const Sample *x, const Sample *y)
    {
        const __m512i difference = distance(_mm512_loadu_si512(x), _mm512_loadu_si512(y), Sample());
        any = _mm512_or_si512(any, difference);
        const __m512i pairs = _mm512_madd_epi16(difference, difference);
        even = _mm512_add_epi64(even, _mm512_and_si512(pairs, _mm512_set1_epi64(0xffffffff)));
        odd = _mm512_add_epi64(odd, _mm512_srli_epi64(pairs, 32));
    }
    bool holds() const { return _mm512_movepi16_mask(any) == 0; }
    int64_t total() const { return sum_of_8(_mm512_add_epi64(even, odd)); }
};

struct sum_of_byte_squares {
    static constexpr int width = 128;

    __m512i sum[4] = {};

    void add(const uint8_t *x, const uint8_t *y)
    {
        IQA_UNROLL
        for (int i = 0; i < 2; ++i) {
            const __m512i a = _mm512_loadu_si512(x + 64 * i);
            const __m512i b = _mm512_loadu_si512(y + 64 * i);
            const __m512i difference = _mm512_sub_epi8(_mm512_max_epu8(a, b), _mm512_min_epu8(a, b));
            const __m512i low = _mm512_unpacklo_epi8(difference, _mm512_setzero_si512());
            const __m512i high = _mm512_unpackhi_epi8(difference, _mm512_setzero_si512());
            sum[2 * i] = _mm512_add_epi32(sum[2 * i], _mm512_madd_epi16(low, low));
            sum[2 * i + 1] = _mm512_add_epi32(sum[2 * i + 1], _mm512_madd_epi16(high, high));
        }
    }
    uint32_t total() const
    {
        return uint32_t(_mm512_reduce_add_epi32(
            _mm512_add_epi32(_mm512_add_epi32(sum[0], sum[1]), _mm512_add_epi32(sum[2], sum[3]))));
    }
};

struct lanes_bits {
    static constexpr int width = 16;

    __m512i value;

    static lanes_bits broadcast(uint32_t v) { return {_mm512_set1_epi32(int(v))}; }
    static lanes_bits load(const float *from) { return {_mm512_castps_si512(_mm512_loadu_ps(from))}; }
    void store(uint32_t *to) const { _mm512_storeu_si512(to, value); }

    friend lanes_bits operator+(lanes_bits a, lanes_bits b) { return {_mm512_add_epi32(a.value, b.value)}; }
    friend lanes_bits smaller(lanes_bits a, lanes_bits b) { return {_mm512_min_epu32(a.value, b.value)}; }
    friend lanes_bits larger(lanes_bits a, lanes_bits b) { return {_mm512_max_epu32(a.value, b.value)}; }
};

struct integer_sum {
    __m512i sum = _mm512_setzero_si512();

    void add_bits(lanes_double anchored) { sum = _mm512_add_epi64(sum, _mm512_castpd_si512(anchored.value)); }
    int128 total(int64_t additions, double anchor) const
    {
        uint64_t parts[8];
        _mm512_storeu_si512(parts, sum);
        int128 result = 0;
        for (const uint64_t part : parts)
            result += int64_t(part - uint64_t(additions) * bits_of(anchor));
        return result;
    }
};

// Words of four rows of a matrix, 16 bytes of each.
template <class Word>
struct lanes_of_rows {
    static constexpr int words = 16 / int(sizeof(Word));
    static constexpr int parts = 4;

    __m512i value;

    // The rows lie `apart` words apart.
    static lanes_of_rows load(const Word *from, int64_t apart)
    {
        const auto row = [=](int part) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + part * apart));
        };
        const auto two_rows = [=](int part) {
            return _mm256_inserti128_si256(_mm256_castsi128_si256(row(part)), row(part + 1), 1);
        };
        return {_mm512_inserti64x4(_mm512_castsi256_si512(two_rows(0)), two_rows(2), 1)};
    }
    void store(Word *to) const { _mm512_storeu_si512(to, value); }

    // The words of a and b in turn, from the lower or the upper half of each part.
    friend lanes_of_rows lower_in_turn(lanes_of_rows a, lanes_of_rows b)
    {
        return {sizeof(Word) == 1   ? _mm512_unpacklo_epi8(a.value, b.value)
                : sizeof(Word) == 2 ? _mm512_unpacklo_epi16(a.value, b.value)
                : sizeof(Word) == 4 ? _mm512_unpacklo_epi32(a.value, b.value)
                                    : _mm512_unpacklo_epi64(a.value, b.value)};
    }
    friend lanes_of_rows upper_in_turn(lanes_of_rows a, lanes_of_rows b)
    {
        return {sizeof(Word) == 1   ? _mm512_unpackhi_epi8(a.value, b.value)
                : sizeof(Word) == 2 ? _mm512_unpackhi_epi16(a.value, b.value)
                : sizeof(Word) == 4 ? _mm512_unpackhi_epi32(a.value, b.value)
                                    : _mm512_unpackhi_epi64(a.value, b.value)};
    }
};

typedef int8_t lanes_bytes __attribute__((vector_size(32))); // in 64 bytes comparisons go a longer way

inline uint64_t unequal(const uint8_t *a, const uint8_t *b)
{
    return _mm512_cmpneq_epu8_mask(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
}
inline uint64_t unequal(const uint16_t *a, const uint16_t *b)
{
    const auto unequal_32 = [=](int first) {
        return uint64_t(_mm512_cmpneq_epu16_mask(_mm512_loadu_si512(a + first), _mm512_loadu_si512(b + first)));
    };
    return unequal_32(0) | unequal_32(32) << 32;
}

} // namespace iqa::avx512

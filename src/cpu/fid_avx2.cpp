// SPDX-License-Identifier: MIT
#include <immintrin.h>

#include "arith/bidiagonal.h"
#include "arith/half.h"
#include "arith/second_moment.h"
#include "cpu/fid_tables.hpp"

#define IQA_FID_NAME "avx2"

namespace iqa::cpu::avx2 {

namespace {

struct integer_lanes {
    static constexpr int count = 8;
    static constexpr int tile_rows = 4;
    static constexpr int tile_vectors = 2;
    __m256i bits;

    static integer_lanes zero() { return {_mm256_setzero_si256()}; }

    static integer_lanes load(const int16_t *pairs)
    {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i *>(pairs))};
    }

    static integer_lanes repeat_pair(const int16_t *pair)
    {
        int32_t both;
        __builtin_memcpy(&both, pair, sizeof both);
        return {_mm256_set1_epi32(both)};
    }

    void store(int32_t *to) const { _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), bits); }
};

inline integer_lanes add_products_of_pairs(integer_lanes sum, integer_lanes a, integer_lanes b)
{
    return {_mm256_add_epi32(sum.bits, _mm256_madd_epi16(a.bits, b.bits))};
}

struct double_lanes {
    static constexpr int count = 4;
    static constexpr int tile_columns = 4;
    __m256d value;

    static double_lanes load(const double *from) { return {_mm256_loadu_pd(from)}; }
    static double_lanes repeat(double number) { return {_mm256_set1_pd(number)}; }
    void store(double *to) const { _mm256_storeu_pd(to, value); }
};

inline double_lanes operator+(double_lanes a, double_lanes b)
{
    return {_mm256_add_pd(a.value, b.value)};
}

inline double_lanes fused(double_lanes a, double_lanes b, double_lanes c)
{
    return {_mm256_fmadd_pd(a.value, b.value, c.value)};
}

} // namespace

#include "cpu/fid_integer.inl"
#include "cpu/fid_linear.inl"
#include "cpu/fid_table.inl"

} // namespace iqa::cpu::avx2

// SPDX-License-Identifier: MIT
// The kernels of features for AVX2 and FMA.
#include "cpu/isa/lanes_avx2.h"

namespace iqa::avx2 {

constexpr int product_columns = 4;

struct digit_lanes {
    static constexpr int count = 8;
    static constexpr int tile_rows = 4;
    static constexpr int tile_vectors = 2;
    __m256i bits;

    static digit_lanes zero() { return {_mm256_setzero_si256()}; }
    static digit_lanes load(const int16_t *pairs)
    {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i *>(pairs))};
    }
    static digit_lanes repeat_pair(const int16_t *pair)
    {
        int32_t both;
        __builtin_memcpy(&both, pair, sizeof both);
        return {_mm256_set1_epi32(both)};
    }
    void store(int32_t *to) const { _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), bits); }

    friend digit_lanes add_products_of_pairs(digit_lanes sum, digit_lanes a, digit_lanes b)
    {
        return {_mm256_add_epi32(sum.bits, _mm256_madd_epi16(a.bits, b.bits))};
    }
};

} // namespace iqa::avx2

#define IQA_INSTRUCTION_SET avx2
#include "cpu/features/kernels.inl"

// SPDX-License-Identifier: MIT
// The kernels of features for AVX-512.
#include "cpu/isa/lanes_avx512.h"

namespace iqa::avx512 {

constexpr int product_columns = 8;

struct digit_lanes {
    static constexpr int count = 16;
    static constexpr int tile_rows = 8;
    static constexpr int tile_vectors = 2;
    __m512i bits;

    static digit_lanes zero() { return {_mm512_setzero_si512()}; }
    static digit_lanes load(const int16_t *pairs) { return {_mm512_loadu_si512(pairs)}; }
    static digit_lanes repeat_pair(const int16_t *pair)
    {
        int32_t both;
        __builtin_memcpy(&both, pair, sizeof both);
        return {_mm512_set1_epi32(both)};
    }
    void store(int32_t *to) const { _mm512_storeu_si512(to, bits); }

    friend digit_lanes add_products_of_pairs(digit_lanes sum, digit_lanes a, digit_lanes b)
    {
        return {_mm512_add_epi32(sum.bits, _mm512_madd_epi16(a.bits, b.bits))};
    }
};

} // namespace iqa::avx512

#define IQA_INSTRUCTION_SET avx512
#include "cpu/features/kernels.inl"

namespace iqa::avx512 {

void multiply_digits_vnni(const void *left, const void *right, int rows, bool wide, int32_t *products);

extern const moment_kernels moments_vnni;
constexpr moment_kernels moments_vnni = moment_table<digit_cut>("avx512_vnni", multiply_digits_vnni);

} // namespace iqa::avx512

// SPDX-License-Identifier: MIT
// The FID kernel that gains from VNNI, which multiplies digit pairs and adds them to a sum in one instruction.
#include <immintrin.h>
#include <stdint.h>

#define IQA_INSTRUCTION_SET avx512
#include "cpu/features/products.inl"

namespace iqa::avx512 {

struct digit_lanes_vnni {
    static constexpr int count = 16;
    static constexpr int tile_rows = 8;
    static constexpr int tile_vectors = 2;
    __m512i bits;

    static digit_lanes_vnni zero() { return {_mm512_setzero_si512()}; }
    static digit_lanes_vnni load(const int16_t *pairs) { return {_mm512_loadu_si512(pairs)}; }
    static digit_lanes_vnni repeat_pair(const int16_t *pair)
    {
        int32_t both;
        __builtin_memcpy(&both, pair, sizeof both);
        return {_mm512_set1_epi32(both)};
    }
    void store(int32_t *to) const { _mm512_storeu_si512(to, bits); }

    friend digit_lanes_vnni add_products_of_pairs(digit_lanes_vnni sum, digit_lanes_vnni a, digit_lanes_vnni b)
    {
        return {_mm512_dpwssd_epi32(sum.bits, a.bits, b.bits)};
    }
};

void multiply_digits_vnni(const void *left, const void *right, int rows, bool wide, int32_t *products);

void multiply_digits_vnni(const void *left, const void *right, int rows, bool wide, int32_t *products)
{
    multiply_digits<digit_lanes_vnni>(left, right, rows, wide, products);
}

} // namespace iqa::avx512

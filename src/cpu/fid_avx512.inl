// SPDX-License-Identifier: MIT
// 512-bit lanes for the FID kernels; IQA_FID_VNNI says whether one instruction multiplies and adds digit pairs.

namespace {

struct integer_lanes {
    static constexpr int count = 16;
    static constexpr int tile_rows = 8;
    static constexpr int tile_vectors = 2;
    __m512i bits;

    static integer_lanes zero() { return {_mm512_setzero_si512()}; }
    static integer_lanes load(const int16_t *pairs) { return {_mm512_loadu_si512(pairs)}; }

    static integer_lanes repeat_pair(const int16_t *pair)
    {
        int32_t both;
        __builtin_memcpy(&both, pair, sizeof both);
        return {_mm512_set1_epi32(both)};
    }

    void store(int32_t *to) const { _mm512_storeu_si512(to, bits); }
};

inline integer_lanes add_products_of_pairs(integer_lanes sum, integer_lanes a, integer_lanes b)
{
#if IQA_FID_VNNI
    return {_mm512_dpwssd_epi32(sum.bits, a.bits, b.bits)};
#else
    return {_mm512_add_epi32(sum.bits, _mm512_madd_epi16(a.bits, b.bits))};
#endif
}

struct double_lanes {
    static constexpr int count = 8;
    static constexpr int tile_columns = 8;
    __m512d value;

    static double_lanes load(const double *from) { return {_mm512_loadu_pd(from)}; }
    static double_lanes repeat(double number) { return {_mm512_set1_pd(number)}; }
    void store(double *to) const { _mm512_storeu_pd(to, value); }
};

inline double_lanes operator+(double_lanes a, double_lanes b)
{
    return {_mm512_add_pd(a.value, b.value)};
}

inline double_lanes fused(double_lanes a, double_lanes b, double_lanes c)
{
    return {_mm512_fmadd_pd(a.value, b.value, c.value)};
}

} // namespace

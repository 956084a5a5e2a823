// SPDX-License-Identifier: MIT
// Exact second moments: 16-bit digits, 32-bit sums, 64-bit words. Included once per instruction set, inside its
// namespace, after its `integer_lanes`.

namespace {

void split_pair(const int32_t *q, bool wide, int64_t plane_stride, int16_t *planes)
{
    constexpr int width = panel_width;
    const int count = wide ? wide_planes : narrow_planes;
    int32_t digits[2][wide_planes][width];
    for (int row = 0; row < 2; ++row)
        for (int j = 0; j < width; ++j) {
            int32_t of_one[wide_planes];
            if (wide)
                split_wide(q[row * width + j], of_one);
            else
                split_narrow(q[row * width + j], of_one);
            for (int plane = 0; plane < count; ++plane)
                digits[row][plane][j] = of_one[plane];
        }
    for (int plane = 0; plane < count; ++plane)
        for (int j = 0; j < width; ++j) {
            planes[plane * plane_stride + 2 * j] = int16_t(digits[0][plane][j]);
            planes[plane * plane_stride + 2 * j + 1] = int16_t(digits[1][plane][j]);
        }
}

void multiply_panels(const int16_t *rows, const int16_t *columns, int pairs, int32_t *products)
{
    constexpr int width = panel_width;
    constexpr int lanes = integer_lanes::count;
    constexpr int tile_rows = integer_lanes::tile_rows;
    constexpr int vectors = integer_lanes::tile_vectors;
    for (int i0 = 0; i0 < width; i0 += tile_rows)
        for (int j0 = 0; j0 < width; j0 += vectors * lanes) {
            integer_lanes sums[tile_rows][vectors];
            for (auto &row : sums)
                for (auto &sum : row)
                    sum = integer_lanes::zero();
            for (int pair = 0; pair < pairs; ++pair) {
                const int16_t *a = rows + (pair * width + i0) * 2;
                const int16_t *b = columns + (pair * width + j0) * 2;
                integer_lanes right[vectors];
#pragma GCC unroll 4
                for (int v = 0; v < vectors; ++v)
                    right[v] = integer_lanes::load(b + v * lanes * 2);
#pragma GCC unroll 16
                for (int i = 0; i < tile_rows; ++i) {
                    const integer_lanes left = integer_lanes::repeat_pair(a + i * 2);
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; ++v)
                        sums[i][v] = add_products_of_pairs(sums[i][v], left, right[v]);
                }
            }
            for (int i = 0; i < tile_rows; ++i)
                for (int v = 0; v < vectors; ++v)
                    sums[i][v].store(products + (i0 + i) * width + j0 + v * lanes);
        }
}

template <bool Wide>
void add_products_of(const int32_t *products, int64_t sign, int count, int64_t *words)
{
    constexpr int plane = panel_width * panel_width;
    const int32_t *p = products;
    for (int j = 0; j < count; ++j) {
        const moment_words block = Wide ? from_wide_planes(p[j], p[plane + j], p[2 * plane + j], p[3 * plane + j],
                                                           p[4 * plane + j], p[5 * plane + j])
                                        : from_narrow_planes(p[j], p[plane + j], p[2 * plane + j]);
        const moment_words sum = carry({words[2 * j] + sign * block.low, words[2 * j + 1] + sign * block.high});
        words[2 * j] = sum.low;
        words[2 * j + 1] = sum.high;
    }
}

void add_products(const int32_t *products, bool wide, bool negative, int row, int count, int64_t *words)
{
    const int32_t *of_row = products + row * panel_width;
    const int64_t sign = negative ? -1 : 1;
    if (wide)
        add_products_of<true>(of_row, sign, count, words);
    else
        add_products_of<false>(of_row, sign, count, words);
}

} // namespace

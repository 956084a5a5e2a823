// SPDX-License-Identifier: MIT
// A tile of sums of products of features, on a GPU's tensor cores. Features are cut into slices of 8 bits (see
// arith/feature_grid.h). The products of slices a and b are summed exactly, in int32, apart for each weight a + b.
// A step multiplies two panels: [slice][feature][row] in shared memory, with slice_tile_stride bytes from feature to
// feature, so that the reads of a warp use different banks.
#pragma once

#include "arith/feature_grid.h"
#include "cuda/machine/block.h"

namespace iqa::cuda {

constexpr int slice_tile_side = 64; // features
constexpr int slice_tile_rows = 32; // rows of a step
constexpr int slice_tile_stride = slice_tile_rows + 16;
constexpr int slice_tile_threads = 256;

constexpr int panel_bytes(int slices)
{
    return slices * slice_tile_side * slice_tile_stride;
}

template <class Block, int Slices>
class slice_tile {
public:
    static constexpr int weights = 2 * Slices - 1;

    // sums[i][j] += left[i] * right[j] over the rows of a step, by all threads of the block. No barrier.
    void multiply(const char *left, const char *right)
    {
        for (int a = 0; a < Slices; ++a)
            for (int b = 0; b < Slices; ++b)
                for (int i = 0; i < slice_tile_side; ++i)
                    for (int j = 0; j < slice_tile_side; ++j) {
                        const char *x = left + (a * slice_tile_side + i) * slice_tile_stride;
                        const char *y = right + (b * slice_tile_side + j) * slice_tile_stride;
                        int32_t sum = 0;
                        for (int row = 0; row < slice_tile_rows; ++row)
                            sum += int8_t(x[row]) * int8_t(y[row]);
                        sums_[i][j][a + b] += sum;
                    }
    }

    // Calls body(i, j, sums of all weights) for each element, by any threads.
    template <class Body>
    void each(Body &&body) const
    {
        for (int i = 0; i < slice_tile_side; ++i)
            for (int j = 0; j < slice_tile_side; ++j)
                body(i, j, sums_[i][j]);
    }

private:
    int32_t sums_[slice_tile_side][slice_tile_side][weights] = {};
};

#if defined(__CUDACC__)

// Loads four matrices of 8 x 16 bytes. Each lane passes the address of a row and gets four bytes of each matrix.
IQA_KERNEL void load_matrices(uint32_t (&bytes)[4], const char *row)
{
    const uint32_t address = uint32_t(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(bytes[0]), "=r"(bytes[1]), "=r"(bytes[2]), "=r"(bytes[3])
                 : "r"(address)
                 : "memory");
}

// c[16 x 8] += a[16 x 32] b[32 x 8], by a warp.
IQA_KERNEL void multiply_matrices(int32_t (&c)[4], const uint32_t (&a)[4], const uint32_t *b)
{
#if __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, "
        "%3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    for (int depth = 0; depth < 2; ++depth)
        for (int half = 0; half < 2; ++half)
            asm("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
                : "+r"(c[2 * half]), "+r"(c[2 * half + 1])
                : "r"(a[2 * depth + half]), "r"(b[depth]));
#endif
}

// Eight warps, each with 32 x 16 elements. A slice is loaded once for all its products.
template <int Slices>
class slice_tile<gpu_block, Slices> {
public:
    static constexpr int weights = 2 * Slices - 1;

    IQA_KERNEL void multiply(const char *left, const char *right)
    {
        const int lane = int(threadIdx.x) % 32;
        uint32_t columns[Slices][4];
#pragma unroll
        for (int b = 0; b < Slices; ++b)
            load_matrices(columns[b],
                          right +
                              (b * slice_tile_side + first_column() + lane / 16 * 8 + lane % 8) * slice_tile_stride +
                              lane / 8 % 2 * 16);
#pragma unroll
        for (int m = 0; m < 2; ++m)
#pragma unroll
            for (int a = 0; a < Slices; ++a) {
                uint32_t rows[4];
                load_matrices(rows, left +
                                        (a * slice_tile_side + first_row() + 16 * m + lane % 16) * slice_tile_stride +
                                        lane / 16 * 16);
#pragma unroll
                for (int b = 0; b < Slices; ++b)
#pragma unroll
                    for (int n = 0; n < 2; ++n)
                        multiply_matrices(sums_[a + b][m][n], rows, columns[b] + 2 * n);
            }
    }

    template <class Body>
    IQA_KERNEL void each(Body &&body) const
    {
        const int lane = int(threadIdx.x) % 32;
#pragma unroll
        for (int m = 0; m < 2; ++m)
#pragma unroll
            for (int n = 0; n < 2; ++n)
#pragma unroll
                for (int part = 0; part < 4; ++part) {
                    int32_t by_weight[weights];
#pragma unroll
                    for (int weight = 0; weight < weights; ++weight)
                        by_weight[weight] = sums_[weight][m][n][part];
                    body(first_row() + 16 * m + part / 2 * 8 + lane / 4,
                         first_column() + 8 * n + lane % 4 * 2 + part % 2, by_weight);
                }
    }

private:
    IQA_KERNEL static int first_row()
    {
        return int(threadIdx.x) / 128 * 32;
    }
    IQA_KERNEL static int first_column()
    {
        return int(threadIdx.x) / 32 % 4 * 16;
    }

    int32_t sums_[weights][2][2][4] = {};
};

#endif

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda_ceilings.hpp"

namespace bench {

namespace {

__global__ void do_nothing()
{
}

constexpr int chains = 8;
constexpr int steps = 4096;

__global__ void multiply_and_add(float *out, float factor)
{
    float sums[chains];
    for (int i = 0; i < chains; ++i)
        sums[i] = float(threadIdx.x + i);
    for (int step = 0; step < steps; ++step)
        for (int i = 0; i < chains; ++i)
            sums[i] = __fmaf_rn(sums[i], factor, 1.0f);
    float all = 0;
    for (int i = 0; i < chains; ++i)
        all += sums[i];
    out[blockIdx.x * blockDim.x + threadIdx.x] = all;
}

constexpr int threads = 256;

} // namespace

void launch_nothing(cudaStream_t stream)
{
    do_nothing<<<1, 32, 0, stream>>>();
}

double launch_multiply_and_add(float *memory, int blocks, cudaStream_t stream)
{
    multiply_and_add<<<blocks, threads, 0, stream>>>(memory, 0.999f);
    return double(blocks) * threads * chains * steps;
}

} // namespace bench

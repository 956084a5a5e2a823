// SPDX-License-Identifier: MIT
// The kernels of the benchmark, and their launches.
#include "cuda_kernels.hpp"

#include <type_traits>

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
    float sum = 0;
    for (int i = 0; i < chains; ++i)
        sum += sums[i];
    out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

constexpr int threads = 256;

// Noise: a hash of the index and the seed.
__device__ uint32_t mix(uint64_t index, uint32_t seed)
{
    uint64_t bits = (index + 1) * 0x9e3779b97f4a7c15u + seed * 0xd1b54a32d192ed03u;
    bits = (bits ^ bits >> 32) * 0xbf58476d1ce4e5b9u;
    return uint32_t(bits >> 32);
}

template <class Sample>
__global__ void fill(Sample *memory, int64_t count, content kind, uint32_t limit, uint32_t seed)
{
    const int64_t step = int64_t(gridDim.x) * blockDim.x;
    for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
        const uint32_t random = mix(uint64_t(i), seed);
        switch (kind) {
        case content::pixels: {
            const uint32_t value = uint32_t(i / 3 % 200) + random % 56;
            memory[i] = Sample(value);
            if constexpr (std::is_floating_point_v<Sample>)
                memory[i] /= Sample(255);
            break;
        }
        case content::noise:
            memory[i] = Sample(random % limit);
            break;
        case content::runs:
            memory[i] = Sample((uint64_t(i) / 97 + (random % 64 == 0)) % limit);
            break;
        case content::features:
            memory[i] = Sample(float(random % 1024) / 512);
            break;
        }
    }
}

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

template <class Sample>
void launch_fill(Sample *memory, int64_t count, content kind, uint32_t limit, uint32_t seed, cudaStream_t stream)
{
    fill<<<1024, threads, 0, stream>>>(memory, count, kind, limit, seed);
}

template void launch_fill(uint8_t *, int64_t, content, uint32_t, uint32_t, cudaStream_t);
template void launch_fill(int32_t *, int64_t, content, uint32_t, uint32_t, cudaStream_t);
template void launch_fill(int64_t *, int64_t, content, uint32_t, uint32_t, cudaStream_t);
template void launch_fill(float *, int64_t, content, uint32_t, uint32_t, cudaStream_t);

} // namespace bench

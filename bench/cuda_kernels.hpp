// SPDX-License-Identifier: MIT
// Kernels that measure a GPU's ceilings, and kernels that fill the inputs of the benchmark.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace bench {

// Launches report errors by cudaGetLastError() alone.
void launch_nothing(cudaStream_t stream);

// Fused multiply-adds in single precision, on memory of blocks * 256 floats; their number.
double launch_multiply_and_add(float *memory, int blocks, cudaStream_t stream);

enum class content {
    pixels,   // 0 to 254, slowly rising, with noise; floats are divided by 255
    noise,    // any integer below `limit`
    runs,     // noise in runs of 97, except for every 64th
    features, // 0 to 2 in steps of 1/512
};

// Fills memory; another seed gives other values.
template <class Sample>
void launch_fill(Sample *memory, int64_t count, content kind, uint32_t limit, uint32_t seed, cudaStream_t stream);

} // namespace bench

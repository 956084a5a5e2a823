// SPDX-License-Identifier: MIT
// Kernels that show what a GPU can do, and that make the inputs of the benchmark where they are needed.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace bench {

// Each throws no error: cudaGetLastError() has it.
void launch_nothing(cudaStream_t stream);

// Fused multiply-adds in single precision, on memory of blocks * 256 floats; their number.
double launch_multiply_and_add(float *memory, int blocks, cudaStream_t stream);

enum class content {
    pixels,   // 0 to 254, slowly rising, with noise; floats are divided by 255
    noise,    // any integer below `limit`
    runs,     // the same, in runs of 97, but for every 64th
    features, // 0 to 2 in steps of 1/512
};

// Fills memory; another seed gives other values.
template <class Sample>
void launch_fill(Sample *memory, int64_t count, content what, uint32_t limit, uint32_t seed, cudaStream_t stream);

} // namespace bench

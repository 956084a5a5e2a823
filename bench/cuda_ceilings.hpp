// SPDX-License-Identifier: MIT
// Kernels that show what a GPU can do.
#pragma once

#include <cuda_runtime_api.h>

namespace bench {

void launch_nothing(cudaStream_t stream);

// Fused multiply-adds in single precision, on memory of blocks * 256 floats; their number.
double launch_multiply_and_add(float *memory, int blocks, cudaStream_t stream);

} // namespace bench

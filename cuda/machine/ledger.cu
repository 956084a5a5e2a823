// SPDX-License-Identifier: MIT
// The entries of the kernels in this folder, and the architectures of all kernels.
#include "cuda/machine/commit.h"
#include "cuda/machine/entry.h"
#include "cuda/machine/store_table.h"

namespace iqa::cuda {

IQA_ENTRY(commit_update)
IQA_ENTRY(store_table)

#if defined(__CUDACC__)

// The architectures that nvcc compiles for, in ascending order: 750 is 7.5.
constexpr int architectures[] = {__CUDA_ARCH_LIST__};
extern const int least_capability;
const int least_capability = architectures[0] / 10;

#endif

} // namespace iqa::cuda

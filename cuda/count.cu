// SPDX-License-Identifier: MIT
#include "cuda/count.h"
#include "cuda/entry.h"

namespace iqa::cuda {

IQA_ENTRY(count_samples)
IQA_ENTRY(clear_edges_kernel)

} // namespace iqa::cuda

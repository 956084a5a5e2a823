// SPDX-License-Identifier: MIT
#include "cuda/images/count.h"
#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(count_samples)
IQA_ENTRY(clear_edges_kernel)

} // namespace iqa::cuda

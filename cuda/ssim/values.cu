// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/values.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_values_kernel)
IQA_ENTRY(ssim_slopes_kernel)
IQA_ENTRY(ssim_block_values_kernel)

} // namespace iqa::cuda

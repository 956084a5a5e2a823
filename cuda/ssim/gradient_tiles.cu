// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/gradient_tiles.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_gradient_tiles<uint8_t, 11>)
IQA_ENTRY(ssim_gradient_tiles<float16, 11>)
IQA_ENTRY(ssim_gradient_tiles<bfloat16, 11>)
IQA_ENTRY(ssim_gradient_tiles<float, 11>)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/blocks.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_of_blocks<uint8_t>)
IQA_ENTRY(ssim_of_blocks<uint16_t>)

} // namespace iqa::cuda

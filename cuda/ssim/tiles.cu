// SPDX-License-Identifier: MIT
#include "cuda/ssim/tiles.h"

#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_tiles<float, uint8_t, 11>)
IQA_ENTRY(ssim_tiles<float, uint16_t, 11>)
IQA_ENTRY(ssim_tiles<float, int16_t, 11>)
IQA_ENTRY(ssim_tiles<float, float16, 11>)
IQA_ENTRY(ssim_tiles<float, bfloat16, 11>)
IQA_ENTRY(ssim_tiles<float, float, 11>)
IQA_ENTRY(ssim_tiles<double, void, 11>)

IQA_ENTRY(ssim_tiles<float, uint8_t, 7>)
IQA_ENTRY(ssim_tiles<float, uint16_t, 7>)
IQA_ENTRY(ssim_tiles<float, int16_t, 7>)
IQA_ENTRY(ssim_tiles<float, float16, 7>)
IQA_ENTRY(ssim_tiles<float, bfloat16, 7>)
IQA_ENTRY(ssim_tiles<float, float, 7>)
IQA_ENTRY(ssim_tiles<double, void, 7>)

} // namespace iqa::cuda

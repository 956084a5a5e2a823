// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/shrink.h"

namespace iqa::cuda {

IQA_ENTRY(shrink_images<float, void>)
IQA_ENTRY(shrink_images<float, uint8_t>)
IQA_ENTRY(shrink_images<float, uint16_t>)
IQA_ENTRY(shrink_images<float, int16_t>)
IQA_ENTRY(shrink_images<float, float16>)
IQA_ENTRY(shrink_images<float, bfloat16>)
IQA_ENTRY(shrink_images<float, float>)
IQA_ENTRY(shrink_images<double, void>)
IQA_ENTRY(shrink_images<double, double>)

} // namespace iqa::cuda

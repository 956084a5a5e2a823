// SPDX-License-Identifier: MIT
#include "cuda/entry.h"
#include "cuda/ssim_boxes.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_boxes_of<float>)
IQA_ENTRY(ssim_boxes_of<double>)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/boxes.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_boxes_of<float>)
IQA_ENTRY(ssim_boxes_of<double>)

} // namespace iqa::cuda

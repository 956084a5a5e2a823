// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/boxes.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_boxes_of<float, usual_taps>)
IQA_ENTRY(ssim_boxes_of<float, 0>)
IQA_ENTRY(ssim_boxes_of<double, 0>)

} // namespace iqa::cuda

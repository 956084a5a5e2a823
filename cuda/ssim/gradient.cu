// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/gradient.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_gradient_of<float, float, usual_taps>)
IQA_ENTRY(ssim_gradient_of<float, float, 0>)
IQA_ENTRY(ssim_gradient_of<double, float, 0>)
IQA_ENTRY(ssim_gradient_of<double, double, 0>)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/ssim/gradient.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_gradient_of<float, float>)
IQA_ENTRY(ssim_gradient_of<double, float>)
IQA_ENTRY(ssim_gradient_of<double, double>)

} // namespace iqa::cuda

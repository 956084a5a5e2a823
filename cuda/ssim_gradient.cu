// SPDX-License-Identifier: MIT
#include "cuda/entry.h"
#include "cuda/ssim_gradient.h"

namespace iqa::cuda {

IQA_ENTRY(ssim_gradient_of<float>)
IQA_ENTRY(ssim_gradient_of<double>)

} // namespace iqa::cuda

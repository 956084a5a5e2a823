// SPDX-License-Identifier: MIT
#include "cuda/ssim_boxes.hpp"

namespace iqa::cuda {

void ssim_boxes(context &, workspace &, ssim_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/functions.hpp"

namespace iqa::cuda {

void ssim(context &, workspace &, ssim_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

} // namespace iqa::cuda

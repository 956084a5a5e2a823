// SPDX-License-Identifier: MIT
#include "cuda/functions.hpp"

namespace iqa::cuda {

void ssim_blocks(context &, workspace &, ssim_blocks_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

} // namespace iqa::cuda

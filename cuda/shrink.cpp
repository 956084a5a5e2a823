// SPDX-License-Identifier: MIT
#include "cuda/functions.hpp"

namespace iqa::cuda {

void shrink(context &, workspace &, const shrink_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

} // namespace iqa::cuda

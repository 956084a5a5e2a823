// SPDX-License-Identifier: MIT
#include "cuda/functions.hpp"

namespace iqa::cuda {

void count(context &, count_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

void squared_error(context &, workspace &, squared_error_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

void error_gradient(context &, workspace &, const error_gradient_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

} // namespace iqa::cuda

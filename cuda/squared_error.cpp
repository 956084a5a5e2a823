// SPDX-License-Identifier: MIT
#include "cuda/functions.hpp"

namespace iqa::cuda {

void count(context &, count_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

void squared_error(context &, scratch &, squared_error_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

void error_gradient(context &, scratch &, const error_gradient_request &)
{
    fail(IQA_ERROR_UNAVAILABLE, "not on CUDA devices yet");
}

} // namespace iqa::cuda

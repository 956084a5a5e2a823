// SPDX-License-Identifier: MIT
// Takes the place of the CUDA backend in a build without CUDA.
#include "backend/backend.hpp"

namespace iqa {

const char *cuda_state()
{
    return "unavailable: this library was built without CUDA";
}

const backend &cuda_backend()
{
    fail(IQA_ERROR_UNAVAILABLE, "the tensors are on a CUDA device, but this library was built without CUDA");
}

} // namespace iqa

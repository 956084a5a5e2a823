// SPDX-License-Identifier: MIT
#include "cuda/ssim_values.h"

#include "cuda/functions.hpp"
#include "cuda/launch.hpp"

namespace iqa::cuda {

namespace {

template <class Kernel>
int64_t blocks_for(int64_t items)
{
    return (items + Kernel::threads - 1) / Kernel::threads;
}

} // namespace

void ssim_values(context &where, workspace &memory, const ssim_values_request &request)
{
    auto *books = memory.zeros.take<ssim_values_kernel::bookkeeping>(1, "the course of an evaluation");
    launch<ssim_values_kernel>(where, blocks_for<ssim_values_kernel>(request.images), 0, {request, books});
}

void ssim_factors(context &where, const ssim_values_request &request, int scale, double *factors)
{
    launch<ssim_factors_kernel>(where, blocks_for<ssim_factors_kernel>(request.images * request.channels), 0,
                                {request, scale, factors});
}

void ssim_block_values(context &where, const ssim_block_values_request &request)
{
    launch<ssim_block_values_kernel>(where, blocks_for<ssim_block_values_kernel>(request.images), 0, request);
}

} // namespace iqa::cuda

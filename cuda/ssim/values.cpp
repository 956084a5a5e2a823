// SPDX-License-Identifier: MIT
#include "cuda/ssim/values.h"

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/machine/ledger.hpp"

namespace iqa::cuda {

namespace {

template <class Kernel>
int64_t blocks_for(int64_t items)
{
    return (items + Kernel::threads - 1) / Kernel::threads;
}

} // namespace

void ssim_values(context &where, workspace &memory, const ssim_values_request &request, device_ledger *ends)
{
    ssim_values_kernel::arguments given{};
    given.request = request;
    given.books = memory.zeros.take<ssim_values_bookkeeping>(1, "the course of an evaluation");
    given.ends_update = ends != nullptr;
    if (ends != nullptr)
        given.commit = static_cast<cuda_ledger *>(ends)->commit_arguments();
    launch<ssim_values_kernel>(where, blocks_for<ssim_values_kernel>(request.images), 0, given);
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

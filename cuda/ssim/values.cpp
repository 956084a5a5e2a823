// SPDX-License-Identifier: MIT
#include "cuda/ssim/values.h"

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/machine/ledger.hpp"

namespace iqa::cuda {

namespace {

// One item for each thread.
template <class Kernel>
void launch_for(const context &where, int64_t items, const typename Kernel::arguments &given)
{
    launch<Kernel>(where, divide_up(items, Kernel::threads), 0, given);
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
    launch_for<ssim_values_kernel>(where, request.images, given);
}

void ssim_factors(context &where, const ssim_values_request &request, int scale, double *factors)
{
    launch_for<ssim_factors_kernel>(where, request.images * request.channels, {request, scale, factors});
}

void ssim_block_values(context &where, const ssim_block_values_request &request)
{
    launch_for<ssim_block_values_kernel>(where, request.images, request);
}

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/ssim/values.h"

#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/machine/ledger.hpp"

namespace iqa::cuda {

namespace {

// Launches one thread for each item.
template <class Kernel>
void launch_for(const context &where, int64_t items, const typename Kernel::arguments &args)
{
    launch<Kernel>(where, divide_up(items, Kernel::threads), 0, args);
}

} // namespace

void ssim_values(context &where, workspace &memory, const ssim_values_request &request, device_ledger *ends)
{
    ssim_values_kernel::arguments args{};
    args.request = request;
    args.books = memory.zeros.take<ssim_values_bookkeeping>(1, "SSIM fault bookkeeping");
    args.ends_update = ends != nullptr;
    if (ends != nullptr)
        args.commit = static_cast<cuda_ledger *>(ends)->commit_arguments();
    launch_for<ssim_values_kernel>(where, request.images, args);
}

void ssim_slopes(context &where, const ssim_values_request &request, int level, double *factors)
{
    launch_for<ssim_slopes_kernel>(where, request.images * request.channels, {request, level, factors});
}

void ssim_block_values(context &where, const ssim_block_values_request &request)
{
    launch_for<ssim_block_values_kernel>(where, request.images, request);
}

} // namespace iqa::cuda

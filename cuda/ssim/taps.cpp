// SPDX-License-Identifier: MIT
#include "cuda/ssim/taps.hpp"

#include "cuda/machine/tables.hpp"

namespace iqa::cuda {

template <class Real>
device_taps<Real> taps_on_device(context &where, workspace &memory, const ssim_plan &plan)
{
    const size_t taps = size_t(plan.size_z + plan.size_y + plan.size_x);
    const std::byte *table = keep_on_device(where, memory, taps * (sizeof(double) + sizeof(float)), [&](std::byte *to) {
        double *const end = plan.round_all_taps(reinterpret_cast<double *>(to));
        plan.round_all_taps(reinterpret_cast<float *>(end));
    });
    if constexpr (sizeof(Real) == sizeof(float))
        table += taps * sizeof(double);
    const Real *first = reinterpret_cast<const Real *>(table);
    return {first, first + plan.size_z, first + plan.size_z + plan.size_y};
}

template device_taps<float> taps_on_device(context &, workspace &, const ssim_plan &);
template device_taps<double> taps_on_device(context &, workspace &, const ssim_plan &);

} // namespace iqa::cuda

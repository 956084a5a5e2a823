// SPDX-License-Identifier: MIT
// The window's taps in memory of the device.
#pragma once

#include "backend/ssim.hpp"
#include "core/context.hpp"

namespace iqa::cuda {

// The taps of a window, rounded to the arithmetic's type.
template <class Real>
struct device_taps {
    const Real *z, *y, *x;
};

// The table holds them in both types, so that it stays the same for all scales and derivatives of a metric.
template <class Real>
device_taps<Real> taps_on_device(context &where, workspace &memory, const ssim_plan &plan);

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
// The window's taps in device memory.
#pragma once

#include "backend/ssim.hpp"
#include "core/context.hpp"

namespace iqa::cuda {

// Rounded to the arithmetic's type.
template <class Real>
struct device_taps {
    const Real *z, *y, *x;
};

// The table holds them in both types, so that it stays the same for all levels and derivatives of a metric.
template <class Real>
device_taps<Real> taps_on_device(context &where, workspace &memory, const ssim_plan &plan);

} // namespace iqa::cuda

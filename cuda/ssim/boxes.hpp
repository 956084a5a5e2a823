// SPDX-License-Identifier: MIT
// General SSIM, for requests that tiles.cpp has no kernel for.
#pragma once

#include "backend/ssim.hpp"
#include "core/context.hpp"

namespace iqa::cuda {

void ssim_boxes(context &where, workspace &memory, ssim_request &request);

} // namespace iqa::cuda

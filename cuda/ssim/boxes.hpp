// SPDX-License-Identifier: MIT
// SSIM of what is not a plain image with an ordinary window.
#pragma once

#include "backend/ssim.hpp"
#include "core/context.hpp"

namespace iqa::cuda {

void ssim_boxes(context &where, workspace &memory, ssim_request &request);

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
// SSIM where anything may be asked for.
#pragma once

#include "core/backend.hpp"

namespace iqa::cuda {

void ssim_boxes(context &where, workspace &memory, ssim_request &request);

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
// The options of SSIM: checks and automatic values.
#pragma once

#include "metrics/metrics.hpp"

namespace iqa {

// Checks every field and replaces automatic sizes by numbers.
iqa_ssim_options resolve(iqa_ssim_options options);

} // namespace iqa

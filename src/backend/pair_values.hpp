// SPDX-License-Identifier: MIT
// The values of images from their sums over pairs of samples: the families of such values.
#pragma once

#include <variant>

#include "values/errors.h"
#include "values/psnr.h"

namespace iqa {

// Each family's request; its add_image() and evaluate_channel() are what a device runs.
using pair_values_request = std::variant<psnr_values_request, errors_values_request>;

} // namespace iqa

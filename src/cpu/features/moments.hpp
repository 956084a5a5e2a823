// SPDX-License-Identifier: MIT
// Exact moments of features: rows, their sums, and their sums of products, block by block of rows.
#pragma once

#include "backend/features.hpp"
#include "core/context.hpp"
#include "cpu/features/kernels.hpp"

namespace iqa {

// cpu_moments() by these kernels.
void add_moments(const moment_kernels &kernels, context &where, scratch &memory, const moment_request &request);

} // namespace iqa

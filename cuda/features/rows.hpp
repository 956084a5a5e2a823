// SPDX-License-Identifier: MIT
// Host side of the first look at rows of features.
#pragma once

#include "backend/features.hpp"
#include "core/context.hpp"

namespace iqa::cuda {

// The largest dot product of a row with itself, and the first row with a number that is not finite. Waits.
row_squares squares_of_rows(context &where, memory_source &memory, const table_view &table);

} // namespace iqa::cuda

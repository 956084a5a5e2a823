// SPDX-License-Identifier: MIT
// Comparisons of lanes, with the numbers that AVX's instructions have for them. NaN is unequal to everything, and
// neither greater nor at least.
#pragma once

namespace iqa {

enum class comparison { unequal = 0x04, at_least = 0x1d, greater = 0x1e };

} // namespace iqa

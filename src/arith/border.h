// SPDX-License-Identifier: MIT
// Border rules: the sample that a position outside the image reads.
#pragma once

#include "arith/portable.h"

namespace iqa {

enum class border_mode : int32_t { valid, reflect, symmetric, replicate, zero };

// The pixels at each end of an axis that are no centre of a window of `taps`: a map leaves them out.
IQA_HD int64_t map_margin(border_mode mode, int taps)
{
    return mode == border_mode::valid ? taps / 2 : 0;
}

// The index in 0 ... extent - 1 that `position` reads, or -1 for a zero. Positions may lie any number of images away;
// an extent of 1 repeats its sample.
IQA_HD int64_t border_index(border_mode mode, int64_t position, int64_t extent)
{
    if (position >= 0 && position < extent)
        return position;
    if (mode == border_mode::zero)
        return -1;
    if (mode == border_mode::replicate || extent == 1)
        return position < 0 ? 0 : extent - 1;
    const int64_t repeated = mode == border_mode::symmetric ? 1 : 0; // is the edge sample repeated?
    const int64_t period = 2 * extent - 2 + 2 * repeated;
    int64_t phase = position % period;
    if (phase < 0)
        phase += period;
    return phase < extent ? phase : period - repeated - phase;
}

} // namespace iqa

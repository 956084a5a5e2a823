// SPDX-License-Identifier: MIT
#include "cuda/features/moments.h"
#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(check_features)
IQA_ENTRY(add_moments<narrow_slices>)
IQA_ENTRY(add_moments<wide_slices>)

} // namespace iqa::cuda

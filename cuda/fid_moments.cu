// SPDX-License-Identifier: MIT
#include "cuda/entry.h"
#include "cuda/fid_moments.h"

namespace iqa::cuda {

IQA_ENTRY(check_features)
IQA_ENTRY(add_moments<narrow_slices>)
IQA_ENTRY(add_moments<wide_slices>)

} // namespace iqa::cuda

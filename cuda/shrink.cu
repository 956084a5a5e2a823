// SPDX-License-Identifier: MIT
#include "cuda/entry.h"
#include "cuda/shrink.h"

namespace iqa::cuda {

IQA_ENTRY(shrink_images<float>)
IQA_ENTRY(shrink_images<double>)

} // namespace iqa::cuda

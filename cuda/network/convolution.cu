// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/network/convolution.h"

namespace iqa::cuda {

IQA_ENTRY(convolve<2, 4, 4>)
IQA_ENTRY(convolve<2, 3, 4>)
IQA_ENTRY(convolve<2, 2, 4>)
IQA_ENTRY(convolve<4, 1, 4>)
IQA_ENTRY(convolve<4, 1, 1>)

} // namespace iqa::cuda

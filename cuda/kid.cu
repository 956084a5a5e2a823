// SPDX-License-Identifier: MIT
#include "cuda/entry.h"
#include "cuda/kid.h"

namespace iqa::cuda {

IQA_ENTRY(copy_row)
IQA_ENTRY(find_largest_square)
IQA_ENTRY(add_kernel_values)

} // namespace iqa::cuda

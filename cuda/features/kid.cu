// SPDX-License-Identifier: MIT
#include "cuda/features/kid.h"
#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(copy_row)
IQA_ENTRY(number_rows)
IQA_ENTRY(find_largest_square)
IQA_ENTRY(add_kernel_values)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/features/prdc.h"
#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(measure_rows)
IQA_ENTRY(find_neighbours)
IQA_ENTRY(count_in_balls)

} // namespace iqa::cuda

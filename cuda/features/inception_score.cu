// SPDX-License-Identifier: MIT
#include "cuda/features/inception_score.h"
#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(look_at_rows)
IQA_ENTRY(add_class_sums)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/entry.h"
#include "cuda/inception_score.h"

namespace iqa::cuda {

IQA_ENTRY(look_at_rows)
IQA_ENTRY(add_class_sums)

} // namespace iqa::cuda

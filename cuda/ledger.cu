// SPDX-License-Identifier: MIT
#include "cuda/commit.h"
#include "cuda/entry.h"

namespace iqa::cuda {

IQA_ENTRY(commit_update)

} // namespace iqa::cuda

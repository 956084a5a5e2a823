// SPDX-License-Identifier: MIT
// The entries of the trace term's kernels.
#include "cuda/features/bidiagonal.h"
#include "cuda/features/both_sets.h"
#include "cuda/features/cholesky.h"
#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(both_sets<fill_covariance>)
IQA_ENTRY(both_sets<start_cholesky>)
IQA_ENTRY(both_sets<choose_first_pivot>)
IQA_ENTRY(both_sets<finish_cholesky_column>)
IQA_ENTRY(both_sets<place_cholesky_columns>)
IQA_ENTRY(multiply_matrices)
IQA_ENTRY(update_column)
IQA_ENTRY(reflect_from_left)
IQA_ENTRY(multiply_both_ways)
IQA_ENTRY(reflect_from_right)
IQA_ENTRY(bisect)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
// The entries of all kernels of confusion counts.
#include "cuda/confusion/cells.h"
#include "cuda/confusion/samples.h"
#include "cuda/confusion/tables.h"
#include "cuda/machine/entry.h"

namespace iqa::cuda {

IQA_ENTRY(count_in_tables<integer_labels>)
IQA_ENTRY(count_in_tables<any_labels>)
IQA_ENTRY(count_in_tables<dense_labels<uint8_t>>)
IQA_ENTRY(count_in_tables<dense_labels<int8_t>>)
IQA_ENTRY(count_in_tables<dense_labels<uint16_t>>)
IQA_ENTRY(count_in_tables<dense_labels<int16_t>>)
IQA_ENTRY(count_in_tables<dense_labels<int32_t>>)
IQA_ENTRY(count_in_tables<dense_labels<int64_t>>)
IQA_ENTRY(count_in_cells<false>)
IQA_ENTRY(count_in_cells<true>)
IQA_ENTRY(carry_weights)
IQA_ENTRY(finish_samples)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/confusion_cells.h"
#include "cuda/confusion_samples.h"
#include "cuda/confusion_tables.h"
#include "cuda/entry.h"

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

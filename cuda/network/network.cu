// SPDX-License-Identifier: MIT
// The entries of all kernels in this folder but the convolutions.
#include "cuda/machine/entry.h"
#include "cuda/network/outputs.h"
#include "cuda/network/pooling.h"
#include "cuda/network/resize.h"

namespace iqa::cuda {

IQA_ENTRY(fill_axes)
IQA_ENTRY(resize_rows)
IQA_ENTRY(resize_columns)
IQA_ENTRY(clear_map_margin)
IQA_ENTRY(pool<largest_sample, 4>)
IQA_ENTRY(pool<mean_of_samples, 2>)
IQA_ENTRY(pool<mean_of_samples, 1>)
IQA_ENTRY(store_features)

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
// The functions of the CUDA backend. The pointers in a request are to device memory, except in plans. Each function
// enqueues its work on the context's stream.
#pragma once

#include "backend/backend.hpp"

namespace iqa::cuda {

void ssim(context &where, workspace &memory, ssim_request &request);
void ssim_values(context &where, workspace &memory, const ssim_values_request &request, device_ledger *ends);
void ssim_slopes(context &where, const ssim_values_request &request, int level, double *factors);
void ssim_block_values(context &where, const ssim_block_values_request &request);
void ssim_blocks(context &where, workspace &memory, ssim_blocks_request &request);
void ssim_gradient(context &where, workspace &memory, const ssim_gradient_request &request);
bool ssim_and_gradient(context &where, workspace &memory, ssim_request &request, ssim_gradient_request gradient,
                       const double *slope);
void shrink(context &where, workspace &memory, std::span<const shrink_request> levels);
void count(context &where, count_request &request);
void sums_of_pairs(context &where, workspace &memory, const pair_sums_request &request);
void values_of_pairs(context &where, workspace &memory, const pair_values_request &request, device_ledger *ends);
void error_gradient(context &where, workspace &memory, const error_gradient_request &request);
void clear_margin(context &where, const margin_view &border);
void confusion(context &where, workspace &memory, const confusion_request &request);
void moments(context &where, workspace &memory, const moment_request &request, device_ledger *ends);
void trace(context &where, int32_t device_id, memory_source &memory, trace_request &request);
void kernel_means(context &where, int32_t device_id, memory_source &memory, kernel_means_request &request);
void neighbours(context &where, int32_t device_id, memory_source &memory, neighbours_request &request);
void split_scores(context &where, int32_t device_id, memory_source &memory, split_scores_request &request);
void row_numbers(context &where, int32_t device_id, memory_source &memory, row_numbers_request &request);
void fetch_row(context &where, int32_t device_id, memory_source &memory, const table_view &table, int64_t row,
               double *numbers);
const float *network_weights(context &where, scratch &memory, std::span<const float> weights);
void network(context &where, workspace &memory, network_request &request);

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
// The functions of the CPU backend.
#pragma once

#include "backend/backend.hpp"

namespace iqa {

void cpu_ssim(context &where, workspace &memory, ssim_request &request);
void cpu_ssim_values(context &where, workspace &memory, const ssim_values_request &request, device_ledger *ends);
void cpu_ssim_slopes(context &where, const ssim_values_request &request, int level, double *factors);
void cpu_ssim_block_values(context &where, const ssim_block_values_request &request);
void cpu_ssim_blocks(context &where, workspace &memory, ssim_blocks_request &request);
void cpu_ssim_boxes(context &where, workspace &memory, ssim_request &request);
void cpu_ssim_gradient(context &where, workspace &memory, const ssim_gradient_request &request);
bool cpu_ssim_and_gradient(context &where, workspace &memory, ssim_request &request, ssim_gradient_request gradient,
                           const double *slope);
void cpu_shrink(context &where, workspace &memory, std::span<const shrink_request> levels);
void cpu_count(context &where, count_request &request);
void cpu_sums_of_pairs(context &where, workspace &memory, const pair_sums_request &request);
void cpu_values_of_pairs(context &where, workspace &memory, const pair_values_request &request, device_ledger *ends);
void cpu_error_gradient(context &where, workspace &memory, const error_gradient_request &request);
void cpu_clear_margin(context &where, const margin_view &margin);
void cpu_confusion(context &where, workspace &memory, const confusion_request &request);
void cpu_moments(context &where, workspace &memory, const moment_request &request, device_ledger *ends);
void cpu_trace(context &where, int32_t device_id, memory_source &memory, trace_request &request);
void cpu_kernel_means(context &where, int32_t device_id, memory_source &memory, kernel_means_request &request);
void cpu_neighbours(context &where, int32_t device_id, memory_source &memory, neighbours_request &request);
void cpu_split_scores(context &where, int32_t device_id, memory_source &memory, split_scores_request &request);
void cpu_row_numbers(context &where, int32_t device_id, memory_source &memory, row_numbers_request &request);
void cpu_fetch_row(context &where, int32_t device_id, memory_source &memory, const table_view &table, int64_t row,
                   double *numbers);
const float *cpu_network_weights(context &where, scratch &memory, std::span<const float> weights);
void cpu_network(context &where, workspace &memory, network_request &request);

} // namespace iqa

// SPDX-License-Identifier: MIT
#include "backend/backend.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"

namespace iqa {

const backend &cpu_backend()
{
    static constexpr backend instance = {
        .name = "cpu",
        .open = nullptr,
        .ssim = cpu_ssim,
        .ssim_values = cpu_ssim_values,
        .ssim_slopes = cpu_ssim_slopes,
        .ssim_blocks = cpu_ssim_blocks,
        .ssim_block_values = cpu_ssim_block_values,
        .ssim_gradient = cpu_ssim_gradient,
        .ssim_and_gradient = cpu_ssim_and_gradient,
        .shrink = cpu_shrink,
        .count = cpu_count,
        .sums_of_pairs = cpu_sums_of_pairs,
        .values_of_pairs = cpu_values_of_pairs,
        .error_gradient = cpu_error_gradient,
        .clear_margin = cpu_clear_margin,
        .confusion = cpu_confusion,
        .moments = cpu_moments,
        .trace = cpu_trace,
        .kernel_means = cpu_kernel_means,
        .neighbours = cpu_neighbours,
        .split_scores = cpu_split_scores,
        .row_numbers = cpu_row_numbers,
        .fetch_row = cpu_fetch_row,
        .network_weights = cpu_network_weights,
        .network = cpu_network,
    };
    return instance;
}

const char *instruction_set(const context &where) noexcept
{
    return kernels_for(where).name;
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// The work of a device as one struct of functions. src/cpu and cuda/ each fill it in and never see each other; metrics
// see only this. All results are integers on the grids of src/arith.
#pragma once

#include <span>

#include "backend/confusion.hpp"
#include "backend/features.hpp"
#include "backend/images.hpp"
#include "backend/network.hpp"
#include "backend/pair_values.hpp"
#include "backend/psnr.hpp"
#include "backend/ssim.hpp"
#include "core/context.hpp"
#include "core/device.hpp"
#include "values/ssim.h"

namespace iqa {

struct backend {
    const char *name;
    // A metric's ledger on a device that works asynchronously. NULL: calls end when their work is done. `accumulates`:
    // the ledger has an addend.
    device_ledger *(*open)(context &owner, int32_t device_id, size_t lanes, bool accumulates);
    void (*ssim)(context &where, workspace &memory, ssim_request &request);
    // `ends`: if not NULL, this call also commits that ledger's update.
    void (*ssim_values)(context &where, workspace &memory, const ssim_values_request &request, device_ledger *ends);
    // The derivative of each image's value by each pixel of a channel's map of a level: factors[images][channels].
    void (*ssim_slopes)(context &where, const ssim_values_request &request, int level, double *factors);
    void (*ssim_blocks)(context &where, workspace &memory, ssim_blocks_request &request);
    void (*ssim_block_values)(context &where, const ssim_block_values_request &request);
    void (*ssim_gradient)(context &where, workspace &memory, const ssim_gradient_request &request);
    // Both of the same images in one pass, with the same results; `slope` is each factor of the gradient, which has
    // none. NULL: it is not known yet, and the derivatives of the sums over the maps are stored, by samples times the
    // plan's gain; ssim_gradient() finishes them. False where it does neither.
    bool (*ssim_and_gradient)(context &where, workspace &memory, ssim_request &request, ssim_gradient_request gradient,
                              const double *slope);
    // Each level is made of the one before, in the same arithmetic.
    void (*shrink)(context &where, workspace &memory, std::span<const shrink_request> levels);
    void (*count)(context &where, count_request &request);
    void (*sums_of_pairs)(context &where, workspace &memory, const pair_sums_request &request);
    void (*values_of_pairs)(context &where, workspace &memory, const pair_values_request &request, device_ledger *ends);
    void (*error_gradient)(context &where, workspace &memory, const error_gradient_request &request);
    void (*clear_margin)(context &where, const margin_view &margin);
    void (*confusion)(context &where, workspace &memory, const confusion_request &request);
    void (*moments)(context &where, workspace &memory, const moment_request &request, device_ledger *ends);
    // The calls below return when their work is done.
    void (*trace)(context &where, int32_t device_id, memory_source &memory, trace_request &request);
    void (*kernel_means)(context &where, int32_t device_id, memory_source &memory, kernel_means_request &request);
    void (*neighbours)(context &where, int32_t device_id, memory_source &memory, neighbours_request &request);
    void (*split_scores)(context &where, int32_t device_id, memory_source &memory, split_scores_request &request);
    void (*row_numbers)(context &where, int32_t device_id, memory_source &memory, row_numbers_request &request);
    // Copies one row of a table to the host, for an error text.
    void (*fetch_row)(context &where, int32_t device_id, memory_source &memory, const table_view &table, int64_t row,
                      double *numbers);
    // A network's weights where its steps read them: these ones, or a copy in `memory`.
    const float *(*network_weights)(context &where, scratch &memory, std::span<const float> weights);
    // The features of a group of pictures. Returns when they are there.
    void (*network)(context &where, workspace &memory, network_request &request);
};

const backend &cpu_backend();
const backend &cuda_backend(); // throws IQA_ERROR_UNAVAILABLE with the reason
const char *cuda_state();
// The name of the best instruction set of the processor that the context allows.
const char *instruction_set(const context &where) noexcept;

// The device and memory of a call that returns when its work is done.
struct device_place {
    const backend *functions;
    int32_t id;
    memory_source *memory;
};
device_place place_on_cpu(context &owner);

// The backend of a tensor's device, and of both tensors of an update.
const backend &backend_of(const iqa_tensor &tensor, const char *name);
const backend &backend_of(const iqa_tensor *reference, const iqa_tensor *candidate);

// Sets the shaved margin of an output for each pixel to 0, and returns the output without it. `shape`: the whole image.
output_view clear_edges(const backend &device, context &where, const output_view &pixels, const image_view &shape,
                        int32_t layout, int32_t shave);

} // namespace iqa

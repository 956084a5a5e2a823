// SPDX-License-Identifier: MIT
// What a device must be able to do: one struct of functions. src/cpu and cuda/ each fill it in and never see each
// other; metrics never see more than this. All results are integers on the grids of src/arith.
#pragma once

#include <span>

#include "backend/confusion.hpp"
#include "backend/features.hpp"
#include "backend/images.hpp"
#include "backend/psnr.hpp"
#include "backend/ssim.hpp"
#include "core/context.hpp"
#include "core/device.hpp"
#include "values/errors.h"
#include "values/psnr.h"
#include "values/ssim.h"

namespace iqa {

struct backend {
    const char *name;
    // For a device that works behind the caller's back: a metric's account there. NULL: calls end when all is done.
    // `accumulates`: with an addend.
    device_ledger *(*open)(context &owner, int32_t device_id, size_t lanes, bool accumulates);
    void (*ssim)(context &where, workspace &memory, ssim_request &request);
    // `ends`: the ledger whose update this ends too; else NULL.
    void (*ssim_values)(context &where, workspace &memory, const ssim_values_request &request, device_ledger *ends);
    // The derivative of each image's value by each pixel of a channel's map of a level: factors[images][channels].
    void (*ssim_slopes)(context &where, const ssim_values_request &request, int level, double *factors);
    void (*ssim_blocks)(context &where, workspace &memory, ssim_blocks_request &request);
    void (*ssim_block_values)(context &where, const ssim_block_values_request &request);
    void (*ssim_gradient)(context &where, workspace &memory, const ssim_gradient_request &request);
    // Each of the one before; in the same arithmetic.
    void (*shrink)(context &where, workspace &memory, std::span<const shrink_request> levels);
    void (*count)(context &where, count_request &request);
    void (*sums_of_pairs)(context &where, workspace &memory, pair_sums_request &request);
    // `ends`: as above.
    void (*psnr_values)(context &where, workspace &memory, const psnr_values_request &request, device_ledger *ends);
    void (*errors_values)(context &where, workspace &memory, const errors_values_request &request, device_ledger *ends);
    void (*error_gradient)(context &where, workspace &memory, const error_gradient_request &request);
    void (*clear_margin)(context &where, const margin_view &border);
    void (*confusion)(context &where, workspace &memory, const confusion_request &request);
    void (*moments)(context &where, workspace &memory, const moment_request &request, device_ledger *ends);
    // These return when it has been done.
    void (*trace)(context &where, int32_t device_id, memory_source &memory, trace_request &request);
    void (*kernel_means)(context &where, int32_t device_id, memory_source &memory, kernel_means_request &request);
    void (*split_scores)(context &where, int32_t device_id, memory_source &memory, split_scores_request &request);
    // One row of a table, to say what is wrong with it.
    void (*fetch_row)(context &where, int32_t device_id, memory_source &memory, const table_view &table, int64_t row,
                      double *numbers);
};

const backend &cpu_backend();
const backend &cuda_backend(); // throws IQA_ERROR_UNAVAILABLE with the reason
const char *cuda_state();
// The name of the best instruction set that the processor has and that the context allows.
const char *instruction_set(const context &where) noexcept;

// Where a call works that returns when it has been done.
struct device_place {
    const backend *functions;
    int32_t id;
    memory_source *memory;
};
device_place place_on_cpu(context &owner);

// The backend of the device where a tensor lives, and both tensors of an update.
const backend &backend_of(const iqa_tensor &tensor, const char *name);
const backend &backend_of(const iqa_tensor *reference, const iqa_tensor *candidate);

// What is shaved off an output for each pixel becomes 0; the rest of it is returned. `shape`: the whole image's.
output_view clear_edges(const backend &device, context &where, const output_view &pixels, const image_view &shape,
                        int32_t layout, int32_t shave);

} // namespace iqa
